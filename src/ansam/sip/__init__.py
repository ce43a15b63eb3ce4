"""RFC 3261 engines without sockets: parser, transactions, dialogues, registration and calls."""
