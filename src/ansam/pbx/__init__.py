"""The exchange: dial plan, registrations, calls between two extensions and their records. No sockets."""
