"""What TLS connections that we open ask of the far end's certificate."""

import ssl

from ansam.errors import ConfigError


def client_context(ca: str, verify: bool, remedy: str) -> ssl.SSLContext:
    """Return a context for connections that we open.

    Args:
        ca: File of certificates (PEM) that vouch for the far end's; "": those this machine trusts.
        verify: Whether the far end has to prove its name at all.
        remedy: Where `ca` would be given, for people.

    Raises:
        ConfigError: The file can not be read.
    """
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"certificates {ca}: {error.strerror or error}", remedy) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
