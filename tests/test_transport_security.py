"""TLS at the load balancer, the mail server and the site, as far as files can show it."""

import re
from pathlib import Path

from wxc.core.config import Config

TEMPLATE = (Path(__file__).parents[1] / "deploy/aws/wxc.yaml").read_text()


def test_load_balancer_speaks_tls_1_2_and_1_3_with_recommended_ciphers_only() -> None:
    (policy,) = re.findall(r"SslPolicy: (\S+)", TEMPLATE)

    assert policy == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"  # the only one without CBC


def test_load_balancer_forwards_only_requests_that_arrived_over_https() -> None:
    listeners = re.findall(
        r"Type: AWS::ElasticLoadBalancingV2::Listener\n(.*?)\n\n", TEMPLATE, re.S
    )

    assert listeners
    for listener in listeners:
        assert ("Type: forward" in listener) == ("Protocol: HTTPS\n      Port: 443" in listener)


def test_certificate_comes_from_acm() -> None:
    assert re.search(r"  Certificate:\n(    .*\n)*?    AllowedPattern: \"arn:.*:acm:", TEMPLATE)
    assert "Certificates: [{CertificateArn: !Ref Certificate}]" in TEMPLATE


def test_secure_cookies_and_starttls_are_the_defaults() -> None:
    assert Config.model_fields["cookie_secure"].default is True
    assert Config.model_fields["mail_starttls"].default is True
