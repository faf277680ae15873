"""What Google's client libraries read before they call anything: the description of the API, with our address in it.

Names, types and shapes are the API's; the words are ours. Clients build `/batch` from `rootUrl` and `batchPath`.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
SCORE_TYPES = ["SCORE_TYPE_UNSPECIFIED", "PROBABILITY", "STD_DEV_SCORE", "PERCENTILE", "RAW"]
TEXT_TYPES = ["TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT", "HTML"]


def document(root_url: str) -> Json:
    """The discovery document for a service that clients reach under `root_url`, which ends with a slash."""
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "commentanalyzer:v1alpha1",
        "name": "commentanalyzer",
        "canonicalName": "Comment Analyzer",
        "version": "v1alpha1",
        "revision": "20261101",
        "title": "Firstword: comment scores over the Perspective Comment Analyzer protocol",
        "description": "Scores comments with a model that runs on this machine.",
        "ownerName": "Firstword",
        "ownerDomain": "",
        "documentationLink": "",
        "protocol": "rest",
        "rootUrl": root_url,
        "baseUrl": root_url,
        "basePath": "",
        "servicePath": "",
        "batchPath": "batch",
        "fullyEncodeReservedExpansion": True,
        "version_module": True,
        "parameters": _parameters(),
        "schemas": _schemas(),
        "resources": {"comments": {"methods": _methods()}},
    }


def _parameters() -> Json:
    words = {
        "access_token": "OAuth access token; not used here.",
        "alt": "Form of the answer; it is always JSON.",
        "callback": "JSONP; not used here.",
        "fields": "Selector of fields; all are always sent.",
        "key": "The API key.",
        "oauth_token": "OAuth token; not used here.",
        "quotaUser": "Not used here; a quota belongs to a key.",
        "uploadType": "Not used here.",
        "upload_protocol": "Not used here.",
    }
    found: Json = {name: {"type": "string", "location": "query", "description": text} for name, text in words.items()}
    found["alt"] |= {"default": "json", "enum": ["json", "media", "proto"], "enumDescriptions": ["JSON", "", ""]}
    found["prettyPrint"] = {"type": "boolean", "location": "query", "default": "true", "description": "Not used here."}
    found["$.xgafv"] = {
        "type": "string",
        "location": "query",
        "description": "Error format; there is one.",
        "enum": ["1", "2"],
        "enumDescriptions": ["", ""],
    }
    return found


def _methods() -> Json:
    return {
        "analyze": _method("analyze", "AnalyzeComment", "Scores a text."),
        "suggestscore": _method("suggestscore", "SuggestCommentScore", "Takes a label for a text."),
    }


def _method(name: str, message: str, description: str) -> Json:
    path = f"v1alpha1/comments:{name}"
    return {
        "id": f"commentanalyzer.comments.{name}",
        "path": path,
        "flatPath": path,
        "httpMethod": "POST",
        "description": description,
        "parameters": {},
        "parameterOrder": [],
        "request": {"$ref": f"{message}Request"},
        "response": {"$ref": f"{message}Response"},
    }


def _schemas() -> Json:
    schemas = {
        "AnalyzeCommentRequest": {
            **_asked(),
            "requestedAttributes": _map("AttributeParameters"),
            "spanAnnotations": FLAG,
            "doNotStore": FLAG,
            "dropUnsupportedAttributes": FLAG,
        },
        "AnalyzeCommentResponse": {
            "attributeScores": _map("AttributeScores"),
            "clientToken": TEXT,
            "languages": _list(TEXT),
            "detectedLanguages": _list(TEXT),
        },
        "SuggestCommentScoreRequest": {**_asked(), "attributeScores": _map("AttributeScores")},
        "SuggestCommentScoreResponse": {
            "clientToken": TEXT,
            "requestedLanguages": _list(TEXT),
            "detectedLanguages": _list(TEXT),
        },
        "ArticleAndParentComment": {"article": _ref("TextEntry"), "parentComment": _ref("TextEntry")},
        "AttributeParameters": {"scoreType": _enum(SCORE_TYPES), "scoreThreshold": _number("number", "float")},
        "AttributeScores": {"summaryScore": _ref("Score"), "spanScores": _list(_ref("SpanScore"))},
        "Context": {
            "entries": _list(_ref("TextEntry")),
            "articleAndParentComment": _ref("ArticleAndParentComment"),
        },
        "Score": {"value": _number("number", "float"), "type": _enum(SCORE_TYPES)},
        "SpanScore": {
            "begin": _number("integer", "int32"),
            "end": _number("integer", "int32"),
            "score": _ref("Score"),
        },
        "TextEntry": {"text": TEXT, "type": _enum(TEXT_TYPES)},
    }
    return {name: {"id": name, "type": "object", "properties": fields} for name, fields in schemas.items()}


def _asked() -> Json:
    return {
        "comment": _ref("TextEntry"),
        "context": _ref("Context"),
        "languages": _list(TEXT),
        "clientToken": TEXT,
        "sessionId": TEXT,
        "communityId": TEXT,
    }


def _ref(name: str) -> Json:
    return {"$ref": name}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _map(name: str) -> Json:
    return {"type": "object", "additionalProperties": _ref(name)}


def _enum(names: list[str]) -> Json:
    return {"type": "string", "enum": names, "enumDescriptions": ["" for _ in names]}


def _number(kind: str, form: str) -> Json:
    return {"type": kind, "format": form}
