"""The commands. Each topic has a file; what a command does is a use case's business."""
