_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def normalise_origin(origin: str) -> str:
    """The origin as browsers write it (RFC 6454): lower case, without the scheme's default port.

    A trailing dot stays: for browsers, `a.example.` is another host than `a.example`.
    """
    scheme, separator, authority = origin.lower().partition("://")
    return f"{scheme}{separator}{authority.removesuffix(_DEFAULT_PORTS.get(scheme, ':'))}"
