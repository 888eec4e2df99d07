from wxc.http.refusals.base import Refusal


class MalformedRequest(Refusal):
    """This request could not be read. Please reload the page and try again.

    The path or a header is invalid; a path must not contain an encoded slash, for example. Ordinary
    clients do not send such requests; check the code that builds this one.
    """


class JsonMalformed(Refusal):
    """The data that was sent could not be read. Please reload the page and try again.

    The body must be one JSON value (RFC 8259) in UTF-8: no trailing comma, no `NaN`, no byte order
    mark.
    """


class JsonTooDeep(Refusal):
    """The data that was sent is too complex. Please reload the page and try again.

    At most 32 levels of JSON are accepted; no body of this API needs more than a few.
    """


class DuplicateKey(Refusal):
    """The data that was sent contains a field twice. Please reload the page and try again.

    Use each key of a JSON object once. Parsers disagree about which of two values counts, so the
    body is refused.
    """


class RequestTimeout(Refusal):
    """Sending your data took too long. Please check your connection and try again.

    Send the body without pauses; on a slow connection, send a smaller one.
    """

    status = 408


class BodyTooLarge(Refusal):
    """This is too large. Please shorten it and try again.

    The limit is 256 KiB, and 8 KiB for routes about accounts and passwords. All texts that
    this API accepts are shorter.
    """

    status = 413


class UriTooLong(Refusal):
    """This web address is too long. Please shorten it and try again.

    The limits are 2 KiB for the path and 8 KiB for the query.
    """

    status = 414


class UnsupportedMediaType(Refusal):
    """The data was sent in an unsupported format. Please reload the page and try again.

    Send the body as uncompressed JSON in UTF-8, with `Content-Type: application/json` and without a
    `Content-Encoding`.
    """

    status = 415


class ValidationFailed(Refusal):
    """Some of the values are not valid. Please correct them and try again.

    Each item of `errors` has a `pointer` to the value (a JSON pointer into the body, or a location
    such as `query.limit`), a `code` for programs and a `message` for the user.
    """

    status = 422


class UnknownParameter(Refusal):
    """This web address has an unknown or repeated parameter. Please correct it and try again.

    `errors` names the parameters. Compare them with those of the route; each may occur once. A
    misspelt name is refused because ignoring it would return a different result than the one
    requested.
    """

    status = 422


class HeadersTooLarge(Refusal):
    """The request is too large. Deleting the cookies of this site may help.

    The limits are 16 KiB and 256 headers. The usual cause is too many cookies of other pages of the
    site.
    """

    status = 431
