"""Secrets in running text are found by their shapes and by the words before them; words and code are left alone."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.redact import HIDDEN, hidden_words, hide_words, redact, secrets_in
from agor_tui.redact.words import may_hold_words

S = "FAKESECRET1"

HIDING = r"""
curl -H "Authorization: Bearer FAKESECRET1" https://x
curl -H 'x-api-key: FAKESECRET1' https://x
Authorization: Basic FAKESECRET1=
{"Authorization": "Bearer FAKESECRET1"}
headers: { Authorization: "token FAKESECRET1" }
mysql -u root -pFAKESECRET1 db
mysql -u root -p'FAKESECRET1 x' db
sshpass -p 'FAKESECRET1 x' ssh h
docker login -u me -p FAKESECRET1 reg.io
curl -u me:FAKESECRET1 https://h
tool --password FAKESECRET1 --x
tool --password=FAKESECRET1
tool --password='FAKESECRET1 b'
tool --password "FAKESECRET1 b"
tool --api-key FAKESECRET1
tool --db.password FAKESECRET1
PASSWORD=FAKESECRET1 cmd
PASSWORD=ab=FAKESECRET1= cmd
export DB_PASSWORD="FAKESECRET1 x"
ANTHROPIC_API_KEY=FAKESECRET1
AWS_SECRET_ACCESS_KEY=FAKESECRET1/abc+def
Server=h;User Id=u;Password=FAKESECRET1;Database=d
AccountName=x;AccountKey=FAKESECRET1==;EndpointSuffix=core
host=h password=FAKESECRET1 user=u
host=h user=u password='FAKESECRET1 b'
jdbc:postgresql://h/db?user=u&password=FAKESECRET1&ssl=true
https://h/x?access_token=FAKESECRET1
https://ann:FAKESECRET1@git.example.org/x.git
postgres://u:FAKESECRET1@h:5432/db
postgres://u:ab@cd/FAKESECRET1@h:5432/db
redis://:FAKESECRET1@h:6379/0
https://FAKESECRET1FAKESECRET1:x-oauth-basic@github.com/a
{"password": "FAKESECRET1", "b": 1}
{\"api_key\": \"FAKESECRET1\"}
{\\\"api_key\\\": \\\"FAKESECRET1\\\"}
password: FAKESECRET1
  db_password: "FAKESECRET1"
- token: FAKESECRET1
api_key = "FAKESECRET1"
const token = 'FAKESECRET1';
config.apiKey = `FAKESECRET1`
Cookie: session=FAKESECRET1; b=c
Set-Cookie: sid=FAKESECRET1; Path=/
{"env": {"STAGING": "FAKESECRET1", "N": 1}}
{\"env\": {\"STAGING\": \"FAKESECRET1\"}}
{"headers": {"X-Own": "FAKESECRET1"}}
use bearer FAKESECRET1FAKESECRET1 please
["Bash\nx-api-key: FAKESECRET1\n", 1]
"list": ["--token", "FAKESECRET1"]
env: {"ANY": "FAKESECRET1"}
secret_key: FAKESECRET1
password=FAKESECRET1\ b rest
token="FAKESECRET1
machine h login u password FAKESECRET1
İİİ password=FAKESECRET1; x
""".strip().split("\n")

LEFT_ALONE = r"""
the password is wrong and the token expired
token = get_token()
password = input("Password: ")
password=password, token=token
f(path=path, identity_token=identity_token)
auth_token=place.auth_token or other
def login(user, password: str, token: str = "") -> None:
password: string;
token: _StrPathToken
token = start_path[0]
FetchPassword = Callable[[Mapping[str, str]], Secret]
self.token = token
api_key=os.environ["API_KEY"]
const apiKey = process.env.API_KEY;
PASSWORD=$DB_PASSWORD cmd
PASSWORD=${DB_PASSWORD:-x} cmd
export TOKEN=$(cat file)
--password "$PASSWORD"
tool --password <your password>
leave out the --password option.
without secrets (--include-secrets writes them)
Authorization: Bearer $TOKEN
Authorization: Bearer <token>
"Authorization": `Bearer ${token}`
commit 3f786850e387550fdab836ed7e6dc881de23001b
sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
0199b73d-b52e-7abc-8def-0123456789ab
max_tokens=4096, "output_tokens": 12
mkdir -p FOLDERNAME1
docker run -p 8080:80 image
git clone https://github.com/a/b.git
ssh://git@host/x
redis://h:6379/0,foo@bar
https://host:8080/a@b
me@example.org: hello
if (password === 'hunter2x') {
if password == "x1y2z3":
error: password authentication failed for user "ann"
<input type="password" name="password">
<a accesskey="n" href="x">
sk-learn-tutorial-with-long-name
import { secret } from './secret'
tokens: 41k
secret santa: who gets what
password: required
{"token": null, "tokens": 5}
| token | value |
Password reset: click here
secrets: inherit
secrets.GITHUB_TOKEN
${{ secrets.NPM_TOKEN }}
cd $(pwd) && ls
pwd: /home/ann
PWD=/home/ann make
cookie: yes
{"headers": {"Content-Type": "application/json"}}
token.length > 3
let token = tokens[0]
passwordInput.value = ""
test_password_is_hashed PASSED
password_hash(password)
""".strip().split("\n")

SHAPES = [
    "ghp_" + "a1" * 18, "github_pat_" + "a1" * 30, "gho_" + "A1" * 18, "glpat-" + "a1" * 10,
    "xoxb-123456789012-abcdefghij", "AKIA" + "ABCD" * 4, "sk-ant-api03-" + "aB1-_" * 18, "sk-" + "aB1" * 16,
    "sk-proj-" + "aB1" * 20, "AIzaSy" + "a1B" * 11, "sk_live_" + "a1" * 12, "rk_test_" + "a1" * 12, "npm_" + "a1" * 18,
    "pypi-AgEIcHlwaS5vcmc" + "a1B" * 20, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123_-x", "hf_" + "a1" * 17,
    "ya29." + "a1B" * 20, "SG." + "a1B" * 7 + "." + "a1B" * 14, "whsec_" + "a1" * 16, "hvs." + "a1B" * 10,
]  # fmt: skip


@pytest.mark.parametrize("text", HIDING)
def test_a_value_behind_a_word_for_secrets_is_hidden(text: str) -> None:
    hidden, count = hidden_words(text)
    assert S not in hidden
    assert HIDDEN in hidden
    assert count == len(secrets_in(text)) == 1
    assert hide_words(hidden) == hidden


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_words_code_and_places_stay_as_they_are(text: str) -> None:
    assert hide_words(text) == text


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("around", ["{}", "key {} end", "'{}'", "x={},", "({})", "`{}`.", "a:{}", "日本{}語", "{}\n{}"])
def test_tokens_are_known_by_their_shape_wherever_they_stand(shape: str, around: str) -> None:
    hidden = hide_words(around.replace("{}", shape))
    assert hidden == around.replace("{}", HIDDEN)


def test_the_secret_key_of_aws_goes_with_its_id() -> None:
    text = f"AKIA{'ABCD' * 4}\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY 3f786850e387550fdab836ed7e6dc881de23001b"
    assert hide_words(text) == f"{HIDDEN}\n{HIDDEN} 3f786850e387550fdab836ed7e6dc881de23001b"


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
@pytest.mark.parametrize("sign", ["", "+", "  "])
@pytest.mark.parametrize("end", [True, False])
def test_a_key_block_loses_its_lines_one_by_one(kind: str, sign: str, end: bool) -> None:
    """Also in a diff, whose lines stay as many, and where the end is cut off."""
    lines = [f"-----BEGIN {kind}-----", "MIIEabcdefghijklmnop", "MIIEabcdefghijklmnopq==", f"-----END {kind}-----", "z"]
    lines = lines if end else lines[:3]
    hidden = [HIDDEN if line.startswith("MIIE") else line for line in lines]
    assert hide_words("\n".join(sign + line for line in lines)) == "\n".join(sign + line for line in hidden)
    assert hide_words(f"-----BEGIN PUBLIC KEY-----\n{lines[1]}\n") == f"-----BEGIN PUBLIC KEY-----\n{lines[1]}\n"


@pytest.mark.parametrize("text", [*HIDING, *SHAPES])
def test_a_text_in_json_is_gone_through_wherever_it_stands(text: str) -> None:
    for value in ({"note": text}, [[text]], {"a": {"b": [{"c": text}]}}, {text: 1}):
        assert may_hold_words(json.dumps(value))
        shown = json.dumps(redact(value))
        assert S not in shown
        assert text not in shown


PIECES = st.sampled_from(
    [*"\"'`\\=:;,& \n\t{}[]()@/-", "token", "password", "://", "--", "Bearer ", "env", "x1", "mysql -p", "AKIA", "eyJ"]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_places_are_in_order_and_apart(text: str) -> None:
    found = secrets_in(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    if found:
        assert may_hold_words(json.dumps({"x": text}))


@pytest.mark.parametrize(
    "piece",
    [
        "token=", "token:", " x-token: a", "--token=", "--token ", "token='", 'token="', "password=a1b2c3d4 ",
        "a=b password=x ", "https://", "x://a:", "x://a:b@", "mysql -p", "curl -u ", "a.", "a", "sk-ant-",
        "eyJaaaaaaaaaa.", "-----BEGIN RSA PRIVATE KEY-----", '"env":{', '"headers": {"a":', "bearer ", "cookie:",
        "Authorization: ", "AKIA" + "ABCD" * 4, "TOKEN=\\a", 'token\\"=', "password \\\n", "\u0130token=a1b2 ",
        "token.token-token_", "login a password ", '"', "\\",
    ],
)  # fmt: skip
def test_long_text_takes_linear_time(piece: str) -> None:
    """Were it not so, a megabyte would take hours."""
    secrets_in(piece * (1_000_000 // len(piece)))
    may_hold_words(piece * (1_000_000 // len(piece)))
