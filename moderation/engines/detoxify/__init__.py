"""The real Detoxify as an engine: the library's own class, or one of its checkpoints converted once to int8 ONNX.

`detoxify:original`, `detoxify:unbiased` and `detoxify:multilingual` are the published models, fetched by the library
when first opened. `detoxify:/path/model.ckpt@SHA256` is a checkpoint of one's own: loading one runs code from it, so
only the file with that digest is opened. `detoxify:/folder` is what `convert` wrote, and needs neither torch nor
transformers. Nothing heavy is imported before an engine is opened.
"""

from collections.abc import Callable
from pathlib import Path

from moderation.engines import Conversion, Engine, EngineUnavailable
from moderation.policy import Policy

PUBLISHED = ("original", "unbiased", "multilingual")
HOW = (
    "Say detoxify:original, detoxify:unbiased, detoxify:multilingual, detoxify:/path/model.ckpt@SHA256 for a "
    "checkpoint of your own, or detoxify:/folder for a converted one."
)


def open_engine(argument: str, policy: Policy | None) -> Engine:
    """The engine that stands behind `detoxify:`; the policy is not needed."""
    path, _, digest = argument.partition("@")
    if argument in PUBLISHED:
        return published(argument)
    if not Path(path).is_absolute():
        raise EngineUnavailable(f"There is no Detoxify model {argument!r}. {HOW}")
    if Path(path).is_dir():
        from moderation.engines.detoxify.converted import Converted

        return Converted(Path(path))
    if not digest:
        raise EngineUnavailable(
            "A checkpoint runs code when it is loaded: give its SHA-256, as /path/model.ckpt@SHA256."
        )
    return local(Path(path), digest)


def convert_engine(argument: str, folder: Path, tolerance: float | None, step: Callable[[str], object]) -> Conversion:
    """Turn a published checkpoint, or one of one's own, into int8 ONNX in a new folder."""
    from moderation.engines.detoxify import convert
    from moderation.engines.detoxify.library import LibraryDetoxify

    convert.refuse_taken(folder)
    step("Opening the model")
    engine = open_engine(argument, None)
    if not isinstance(engine, LibraryDetoxify):
        raise EngineUnavailable("This model is converted already.")
    return convert.convert(engine, folder, convert.TOLERANCE if tolerance is None else tolerance, step)


def published(name: str) -> Engine:
    from moderation.engines.detoxify import library

    return library.LibraryDetoxify(name, library.fetched(name))


def local(checkpoint: Path, digest: str) -> Engine:
    from moderation.engines.detoxify import library

    return library.LibraryDetoxify("checkpoint", library.checked(checkpoint, digest))
