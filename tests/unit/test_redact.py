"""What is taken out of evidence, and what must stay in it."""

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.base.named_secrets import REDACTED
from controller.base.redact import redact, redact_json

SECRET = "hunter2/Kq+9"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk"
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}\nab==\n-----END RSA PRIVATE KEY-----"

NAMES = [
    "password", "passwd", "REDIS_PASSWORD", "http-auth-password", "secret", "client_secret",
    "clientSecret", "token", "accessToken", "X-Auth-Token", "api_key", "api-key", "apiKey",
    "AWS_SECRET_ACCESS_KEY", "privateKey", "private_key", "staking-signer-key-file-content",
    "AVAGO_STAKING_TLS_KEY_FILE_CONTENT", "credential", "credentials", "Authorization", "auth",
    "db_pwd", "redis_pass", "my.pass", "MYSQL-PWD", "pwd", "X-Amz-Signature",
    "X-Amz-Security-Token", "Cookie", "Set-Cookie", "DD_APP_KEY", "encryption_key", "AccountKey",
    "X-Goog-Signature", "application-key", "masterKey",
]  # fmt: skip
FORMS = [
    "{0}={1}", "{0}: {1}", "{0} = {1} and more", '"{0}":"{1}","peers":4', "'{0}': '{1}'",
    "--{0} {1} --next 1", "--{0}={1}", '["--{0}","{1}"]', "map[{0}:{1}]", "env {0}={1}; true",
    "GET /ext/info?{0}={1}&x=1", '{{"a":"{{\\"{0}\\":\\"{1}\\",\\"b\\":1}}"}}', '{0}="{1}"',
    "{0}: Bearer {1}", "{0}:[{1}]",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_value_behind_a_telling_name_goes(name: str, form: str) -> None:
    """Is the value gone and the name kept, in every way of writing the two?"""
    found = redact(form.format(name, SECRET))
    assert SECRET not in found
    assert name in found
    assert REDACTED in found


VALUES = st.text("abcXYZ0189+/=_.-~!@#%^*", min_size=6, max_size=40).filter(lambda v: v[0] != "-")


@given(VALUES, st.sampled_from(NAMES), st.sampled_from(FORMS))
def test_whatever_the_value_it_goes(value: str, name: str, form: str) -> None:
    """Does no value of usual characters come through?"""
    if "?" in form:
        value = value.replace("#", "x")  # ends a query
    if "[" in form:
        value = value.rstrip("-")
    found = redact(form.format(name, "Z9" + value + "Q7"))
    assert "Z9" not in found
    assert "Q7" not in found


@pytest.mark.parametrize(
    "text",
    [
        f"sent Bearer {SECRET}",
        f"sent bearer {SECRET} to it",
        f"curl -H 'Authorization: Bearer {SECRET}' http://127.0.0.1:9650/ext/info",
        f"redis://default:{SECRET.replace('/', '')}@redis:6379/0",
        f"redis://:{SECRET.replace('/', '')}@redis:6379/0",
        f"found {TOKEN} in it",
        base64.b64encode(KEY.encode()).decode(),
        f"x={base64.b64encode(KEY.encode()).decode()} y",
        KEY,
        orjson.dumps({"content": KEY}).decode(),
        f"before {KEY} after",
        "\n".join(f"  {line}" for line in KEY.splitlines()),  # as YAML has it
        KEY.rpartition("\n")[0],  # its end is missing
        KEY.partition("\n")[2],  # its begin is missing
        f'"api_key":{SECRET}, "peers":4',
        f"passphrase: correct horse {SECRET}",
        f'secrets: ["a","{SECRET}"]',
        f"Private Key: {SECRET}",
        f"--secret {SECRET}=x",
        f"Cookie: a=b; c={SECRET}",
        f'Set-Cookie: a="b c"; d={SECRET}; Path=/',
        f'Authorization: Digest username="jane", response="{SECRET}"',
        orjson.dumps({"head": f'Cookie: a="b"; c="{SECRET}"'}).decode(),
        f"avax import PrivateKey-{BODY[:50]}",
        f'{{"auths":{{"registry.example":{{"auth":"{SECRET}"}}}}}}',
    ],
)
def test_other_forms_go(text: str) -> None:
    """Is nothing left of a secret that is told by its form, or cut in the middle?"""
    found = redact(text)
    for part in (SECRET, SECRET.replace("/", ""), TOKEN, BODY, BODY[:20], "LS0tLS1CRUdJ"):
        assert part not in found
    assert REDACTED in found


BLOCKS = [
    "password: |\n  hunter2\n  hunter3\nnext: kept",
    "password: >-\n    hunter2\n\n    hunter3\nnext: kept",
    "- name: x\n  db_password: |2-  # as it was\n     hunter2\n   hunter3\n  next: kept",
    "- password: |\n    hunter2\n    hunter3\n  next: kept",
    "  'api_key': |+\n    hunter2: hunter3\n  next: kept",
    "E0511 data: password: |\n  hunter2\n  hunter3\nnext: kept",
    '{"msg":"password: |\\n  hunter2\\n  hunter3"}\nnext: kept',
]


@pytest.mark.parametrize("text", BLOCKS)
def test_a_block_of_yaml_goes_whole(text: str) -> None:
    """Is all of a value gone that stands on the lines below its name, and nothing after it?"""
    found = redact(text)
    assert "hunter" not in found
    assert found.endswith("next: kept")
    assert found.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "args: |\n  hunter2\nnext: kept",
        "password_file: |\n  hunter2",
        "the secret of a | b",
        "password: x > 3\n  hunter2",
    ],
)
def test_lines_below_other_names_stay(text: str) -> None:
    """Is a block of YAML kept whose name is no secret's?"""
    assert redact(text).partition("\n")[2] == text.partition("\n")[2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "GET https://a.blob.core/x?sv=2&sig=hunter2%3D&se=9 refused",
            "GET https://a.blob.core/x?sv=2&sig=[redacted]&se=9 refused",
        ),
        ("/x?sig=hunter2", "/x?sig=[redacted]"),
        ("sig=3 of 5", "sig=3 of 5"),
        ("https://h/x?design=3", "https://h/x?design=3"),
        ("redis://u:***@h:6379/0", "redis://u:***@h:6379/0"),
        ("password=***", "password=***"),
    ],
)
def test_a_signature_in_a_url_goes(text: str, found: str) -> None:
    """Is what gives whoever has the URL its writer's rights gone, and the rest of it kept?"""
    assert redact(text) == found


PAIRS = [
    '{"name":"DB_PASSWORD","value":"hunter2"}', '{"name": "DB_PASSWORD", "value": "hunter2"}',
    '{"value":"hunter2","name":"DB_PASSWORD"}', '{"key":"api_key","value":"hunter2"}',
    "[{'name': 'API_TOKEN', 'value': 'hunter2'}]", "{Name:redis_pass Value:hunter2 ValueFrom:nil}",
    "- name: DB_PASSWORD\n  value: hunter2", '"name": "DB_PASSWORD",\r\n"value": "hunter2"\r',
    '{"said":"{\\"name\\":\\"DB_PASSWORD\\",\\"value\\":\\"hunter2\\"}"}',
]  # fmt: skip


@pytest.mark.parametrize("text", PAIRS)
def test_a_value_that_another_field_names_goes(text: str) -> None:
    """Is a variable's value gone, as manifests and dumps of them write it, and nothing else?"""
    rest = "\nname: next, value: kept"
    assert redact(text + rest) == text.replace("hunter2", REDACTED) + rest


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"PEERS","value":"hunter2"}',
        '{"name":"DB_PASSWORD","value":""}',
        '{"name":"DB_PASSWORD_FILE","value":"/run/redis"}',
        '{"name":"DB_PASSWORD","valueFrom":{"name":"redis","key":"password"}}',
        '{"name":"DB_PASSWORD"},{"value":"of another"}',
        '{"value":"of another"},{"name":"DB_PASSWORD"}',
        "name: DB_PASSWORD\nnext: one\nvalue: of another",
    ],
)
def test_a_value_that_nobody_calls_secret_stays(text: str) -> None:
    """Does a field called `value` go only beside the name of a secret?"""
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://ghp_abc@github.com/x", f"https://{REDACTED}@github.com/x"),
        ("https://gho_abc@github.com/x", f"https://{REDACTED}@github.com/x"),
        ("https://github_pat_a@github.com/x", f"https://{REDACTED}@github.com/x"),
        ("https://glpat-abc@gitlab.com/x", f"https://{REDACTED}@gitlab.com/x"),
        ("https://ghp_abc:x@github.com/x", f"https://{REDACTED}:{REDACTED}@github.com/x"),
        ("https://ghp_abc:@github.com/x", f"https://{REDACTED}:@github.com/x"),
        ("https://0123456789abcdef@h", f"https://{REDACTED}@h"),
        ("https://" + "a" * 3000 + "@h", f"https://{REDACTED}@h"),
        ("https://jane:" + "a" * 3000 + "@h", f"https://jane:{REDACTED}@h"),
    ],
)
def test_a_user_who_is_a_token_goes(text: str, found: str) -> None:
    """Where a token stands for the user of a URL, is it gone, and the host kept?"""
    assert redact(f"cloned {text} now") == f"cloned {found} now"


def test_basic_authentication_goes() -> None:
    """Is base64 after `Basic` taken out without its header's name?"""
    encoded = base64.b64encode(b"user:pass1").decode()
    assert redact(f"Basic {encoded}") == f"Basic {REDACTED}"


@pytest.mark.parametrize(
    "text",
    [
        "token bucket is empty, tokens=5 tokenBucketSize=512",
        "an invalid bearer token, see basic information about Bearer authentication",
        "sha256:" + "a1" * 32,
        "NodeID-7Xhw2mDxuDS44j42TCB6U5579esbSt3Lg",
        'accepted block {"id": "2JVSBoinj9C2J33VntvzYtVJNZdN2NKiwwKjcumHUWEb5DbBrm", "height": 12}',
        "0x31ced5b9beb7f8782b014660da0cb18cc409f121f408186886e1ca3e8eeca96b",
        "rpcchainvm=39 commit=a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6a1b2",
        "http://10.0.0.7:9650/ext/health and https://api.avax.network:443/ext/bc/C/rpc",
        "avaplatform/avalanchego:latest@sha256:" + "0f" * 32,
        'MountVolume.SetUp failed for volume "staking" : secret "staking-keys" not found',
        'secretName: staking-keys, passwordFile=/run/redis, "private_key_path":"/staking/signer"',
        "failed to fetch anonymous token: unexpected status from GET request to"
        " https://auth.docker.io/token?scope=repository%3Aavaplatform%2Favalanchego: 401",
        'WWW-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry"',
        '{"password":null,"token":"","apiKey":false}',
        "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:12 +0x1d\nkey value monkey: 3",
        "fatal: pebble: key not found",
        "authority=P authority: none compass=north bypass=true bypass=all passed=3 surpass: 4",
        "https://git@github.com/x and ssh://git@github.com/x and https://h?mail=jane@example.com",
        "enode://" + "ab" * 64 + "@10.0.0.7:30303",
        "docker-pullable://avalanchego-of-ours@sha256:" + "0f" * 32,
        "docker-pullable://localhost:5000@sha256:" + "0f" * 32,
        "auth: failed to read it, authorization: is missing, token: denied, cookie-cutter",
        'registry auth: "unauthorized" and secret: "not found"',
        "a PrivateKey-less node",
        "[11-23|06:00:00.000] INFO <P Chain> bootstrap/bootstrapper.go:708 executing blocks"
        ' {"numExecuted": 4096, "numToExecute": 9000, "eta": "1m2s"}',
        "[11-23|06:00:00.000] INFO <C Chain> core/blockchain.go:402 Imported new chain segment"
        ' {"number": 7, "hash": "31ced5..eca96b", "name": "value", "key": "name"}',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Does evidence keep its hashes, addresses and sentences?"""
    assert redact(text) == text


WORDS = ["token", "bucket", "basic", "bearer", "of", "key", "secret", "passed", "credential", "a"]


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_words_without_a_value_stay(words: list[str]) -> None:
    """Are the telling words themselves no secret, unless one that carries follows another?"""
    text = ", ".join(words)
    assert redact(text) == text


@given(st.text(), st.lists(st.text(), max_size=3))
def test_lines_stay_lines(text: str, secrets: list[str]) -> None:
    """Has the result as many lines, and is it of bounded size?"""
    found = redact(text, secrets)
    assert found.count("\n") == text.count("\n")
    assert len(found) <= 6 * len(text) + len(REDACTED)


PIECES = [
    "name", "value", "cookie", "is", "is ", "password",
    "token", "api key", "--", "=", ": ", " ", '"', "\\", "'", "[", "]", "{", "}", "\n",
    "Bearer ", "://", "@", "eyJ", ".", "-----BEGIN A-----", "-----END A-----", "abc", ",", "&", "?",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_jumble_keeps_its_lines(pieces: list[str]) -> None:
    """Do marks in an order that nobody writes neither raise nor join lines?"""
    text = "".join(pieces)
    found = redact(text)
    assert found.count("\n") == text.count("\n")
    assert len(found) <= 6 * len(text) + len(REDACTED)


MANY = 200_000


@pytest.mark.parametrize(
    "text",
    [
        "-" * MANY, "a" * MANY, "a_" * MANY + "token=", "eyJ" * MANY, "eyJaaaaa." * MANY,
        "://" * MANY, "://a:b" * MANY, 'password="' * MANY, "token=" * MANY, "token=a " * MANY,
        "password:" + "\\" * MANY, 'secret:"\\"' * MANY, "token:[" * MANY, "token" + " " * MANY,
        "bearer " * MANY, "basic " + "A" * MANY, "LS0tLS1CRUdJ" * MANY, ":=" * MANY,
        "-----BEGIN A-----" * MANY, "-----BEGIN A-----\n" * MANY, "A\n-----END A-----\n" * MANY,
        "-----BEGIN A-----\n" + "A\n" * MANY, "--x " * MANY + "token", "key a " * MANY,
        "://a@" * MANY, "://" + "a@" * MANY, "://:" + "@sha256:" * MANY, "PrivateKey-" * MANY,
    ],
)  # fmt: skip
def test_hostile_text_takes_no_longer_than_other_text(text: str) -> None:
    """Does a text made to be looked through again and again come to an end (within the time that
    every unit test has)?
    """
    assert redact(text).count("\n") == text.count("\n")


NASTY = 1_000_000  # characters: what is looked at again for each of its names takes minutes


@pytest.mark.parametrize(
    "piece",
    [
        "authorization: is ", "authorization: is\" ", "authorization:,", "authorization: null ",
        'token: "is ', "token: 'is \"", "token: is,", "token: ,,", "secret: [is ",
        'cookie: a="', 'cookie: a=\\"', "cookie:'", "name:token value:", "name:password,",
        'value:"x name:password ', 'value:"x"name:password,', "value:[name:secret ",
        "name:password value: ,", "name:password\n", "name:password\nvalue:\n", "name:password ",
    ],
)  # fmt: skip
def test_no_name_has_the_rest_of_its_line_looked_through_again(piece: str) -> None:
    """Does a line full of names, none of which takes a value, come to an end (within the time that
    every unit test has)?
    """
    text = 'value:"' + piece * (NASTY // len(piece))
    assert redact(text).count("\n") == text.count("\n")


def test_no_growing_escape_has_the_rest_looked_through_again() -> None:
    """Is a line of quotes of which none closes another taken in one go, too?"""
    for opening in ('token: {}"is ', 'value:{}"is name:password '):
        assert redact("".join(opening.format("\\" * depth) for depth in range(2000)))


@pytest.mark.parametrize(
    "written",
    [
        "s3cret&word", "s3cret%26word", base64.b64encode(b"s3cret&word").decode(),
        orjson.dumps({"a": "s3cret&word"}).decode(),
    ],
)  # fmt: skip
def test_given_secrets_go_however_they_are_written(written: str) -> None:
    """Is a secret that we know found anywhere, in URLs and base64 too?"""
    found = redact(f"it said {written} there", ["s3cret&word"])
    assert "s3cret" not in found
    assert written not in found
    assert found.endswith(" there")


def test_a_short_or_empty_secret_is_not_looked_for() -> None:
    """Is a text not torn to pieces for a secret that is none?"""
    assert redact("a block at height 1", ["", " ", "a", "1"]) == "a block at height 1"


def test_a_known_secret_of_many_lines_goes_line_by_line() -> None:
    """Is a key that we know found where only a part of it stands?"""
    found = redact(
        "first-half-of-it and\nsecond-half-of-it", ["first-half-of-it\nsecond-half-of-it"]
    )
    assert found == f"{REDACTED} and\n{REDACTED}"


def test_json_is_redacted_by_its_fields_and_stays_json() -> None:
    """Are values taken out by the name of their field, whatever they are made of?"""
    value = {
        "user": "jane",
        "password": 'a"b',
        "api_key": 5,
        "credentials": {"user": "x", "deep": [1]},
        "token": None,
        "checks": [{"message": "refused: token=abcdef"}, 1, 1.5, True],
        "bound": 2**70,
    }
    found = redact_json(value, ["jane"])
    assert orjson.loads(orjson.dumps(found)) == {
        "user": REDACTED,
        "password": REDACTED,
        "api_key": REDACTED,
        "credentials": REDACTED,
        "token": None,
        "checks": [{"message": f"refused: token={REDACTED}"}, 1, 1.5, True],
        "bound": str(2**70),
    }


def test_a_field_of_json_that_another_names_is_redacted() -> None:
    """Do lists of variables lose the values of secrets, in any order and case, and no others?"""
    found = redact_json(
        [
            {"name": "DB_PASSWORD", "value": "hunter2"},
            {"Value": {"a": "hunter2"}, "Name": "api-token"},
            {"name": "DB_PASSWORD", "value": None},
            {"name": "PEERS", "value": "7"},
            {"name": "failed to mount the secret", "value": 3},
            {"auths": {"h": {"auth": "aHVudGVyMg=="}}, "authority": "P"},
        ]
    )
    assert found == [
        {"name": "DB_PASSWORD", "value": REDACTED},
        {"Value": REDACTED, "Name": "api-token"},
        {"name": "DB_PASSWORD", "value": None},
        {"name": "PEERS", "value": "7"},
        {"name": "failed to mount the secret", "value": 3},
        {"auths": {"h": {"auth": REDACTED}}, "authority": "P"},
    ]


def test_json_of_any_depth_can_be_written() -> None:
    """Does a document that is nested without end neither raise nor grow?"""
    value: object = "end"
    for _ in range(300):
        value = {"a": value}
    assert orjson.dumps(redact_json(value))


def test_odd_values_become_text() -> None:
    """Is what JSON has no word for, and half a character, fit to be written?"""
    found = redact_json({"a": {1}, "b": b"x", "\ud800": "\ud800", 5: object})
    assert orjson.loads(orjson.dumps(found))["a"] == [1]
