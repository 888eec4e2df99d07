"""Names browsers by their User-Agent header, as far as they are known.

Only words of these lists are returned: the header is text that anybody can choose.
"""

# The first match counts: most browsers also claim to be Chrome and Safari.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "iPhone": "an iPhone",
    "iPad": "an iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def browser_name(user_agent: str | None) -> str:
    """For example `Firefox on Windows`."""
    browser = _find(_BROWSERS, user_agent) or "an unknown browser"
    system = _find(_SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def _find(names: dict[str, str], user_agent: str | None) -> str | None:
    return next((name for token, name in names.items() if token in (user_agent or "")), None)
