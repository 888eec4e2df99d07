"""The form of a request."""

from wxc.http.refusals.base import Refusal


class MalformedRequest(Refusal):
    """The request could not be read.

    The address or the headers of the request are broken below the level of this API. No
    ordinary client sends such a request; look at what builds it.
    """


class JsonMalformed(Refusal):
    """The body is not valid JSON in UTF-8.

    Send one JSON value (RFC 8259) in UTF-8: no trailing comma, no `NaN`, no byte order mark.
    """


class JsonTooDeep(Refusal):
    """The body is nested too deeply.

    No body of this API needs more than a few levels; 32 are read.
    """


class DuplicateKey(Refusal):
    """An object in the body names the same key twice.

    Name each key once. Parsers disagree about which of two values holds, so none is chosen.
    """


class RequestTimeout(Refusal):
    """The body took too long to arrive.

    Send the body in one go. On a slow line, send less of it.
    """

    status = 408


class BodyTooLarge(Refusal):
    """The body is too large.

    256 KiB are read, 8 KiB where accounts and passwords are concerned. No text that this API
    accepts needs as much.
    """

    status = 413


class UriTooLong(Refusal):
    """The address is too long.

    2 KiB of path and 8 KiB of query are read.
    """

    status = 414


class UnsupportedMediaType(Refusal):
    """The body must be uncompressed JSON, sent as application/json in UTF-8.

    Send the body as `Content-Type: application/json`, without a `Content-Encoding`.
    """

    status = 415


class ValidationFailed(Refusal):
    """Something in the request does not have the right form; `errors` says what.

    Each of `errors` has a `pointer` to the place (a JSON pointer into the body, or
    `query.limit`), a `code` for programs and a `message` for people. Mend them all at once.
    """

    status = 422


class UnknownParameter(Refusal):
    """The query holds a parameter that this address does not know, or one of them twice.

    Compare the query with the parameters of the route. A name that is spelled wrongly would
    otherwise be ignored, and the answer would be to another question.
    """

    status = 422


class HeadersTooLarge(Refusal):
    """The headers of the request are too large.

    16 KiB and 256 headers are read. Usually cookies of other pages of the site are too many.
    """

    status = 431
