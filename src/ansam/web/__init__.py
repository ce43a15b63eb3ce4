"""The web page: REST, WebSockets and static files around what runs (docs/spec/web-api.md)."""
