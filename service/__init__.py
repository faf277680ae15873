"""The world around the judgement: storage, identity, webhooks and the web edge. See ARCHITECTURE.md for the rooms."""
