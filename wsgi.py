"""application = the service, wired from Settings. What a WSGI server serves and what `flask --app wsgi` runs."""

from __future__ import annotations

from config.settings import load
from service.app import create_app

application = create_app(load())
