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

HIDING = (
    r"""
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
\x1b[1mpassword: \x1b[0m\x1b[33mFAKESECRET1\x1b[0m
\x1b[1mdb_password\x1b[0m=\x1b[33mFAKESECRET1\x1b[0m
Authorization: SSWS FAKESECRET1
ALTER USER ann WITH PASSWORD 'FAKESECRET1';
create role x login password 'FAKESECRET1'
CREATE USER ann@localhost IDENTIFIED BY 'FAKESECRET1';
SET PASSWORD FOR 'x' = 'FAKESECRET1'
<password>FAKESECRET1</password>
<ns:apiKey type="x">FAKESECRET1</ns:apiKey>
<add key="ApiKey" value="FAKESECRET1" />
- name: DB_PASSWORD\n  value: FAKESECRET1
{"name": "DB_PASSWORD", "value": "FAKESECRET1"}
{\"name\": \"DB_PASSWORD\", \"value\": \"FAKESECRET1\"}
os.environ["API_KEY"] = "FAKESECRET1"
request.headers['X-Api-Key'] = 'FAKESECRET1'
environ.setdefault("SECRET_KEY", "xFAKESECRET1")
password => "FAKESECRET1"
my password is xFAKESECRET1, thanks
The password is: xFAKESECRET1
here is the API key: xFAKESECRET1.
use password "FAKESECRET1" please
Password：xFAKESECRET1
ENV SECRET_TOKEN FAKESECRET1
setx API_KEY FAKESECRET1
aws configure set aws_secret_access_key FAKESECRET1
npm config set //registry.npmjs.org/:_authToken FAKESECRET1
gh secret set API_KEY --body "FAKESECRET1"
openssl rsa -passin pass:FAKESECRET1
machine h\n  login u\n  password FAKESECRET1
sshpass -pFAKESECRET1 ssh h
redis-cli --pass FAKESECRET1
curl -sSu me:FAKESECRET1 https://h
Ocp-Apim-Subscription-Key: FAKESECRET1
Authorization: Splunk FAKESECRET1-x
İİİ password=FAKESECRET1; x
""".strip()
    .replace("\\x1b", "\x1b")
    .split("\n")
)

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
\x1b[1mpassword: \x1b[31mrequired\x1b[0m
Authorization: see chapter 7
the password is Base64-encoded
the API key is SHA256-hashed
password is hashed with Argon2, the token is OAuth2Token
columns = ["password", "username", "token", "created_at"]
the password 'required' and the token "refresh"
<password>string</password>
<label for="password">Password2</label>
- name: DB_PASSWORD\n  valueFrom: x
- name: DB_HOST\n  value: localhost1
git config set token from the store
password: see docs/Setup2024.md
return a library identified by 'name'.
identified by 'the user'
the secret is UUIDv4Format
use --pass or -pass to set it
fw_update_the_firmware_of_the_device2
re_compiled_pattern_of_the_second_kind_2
as-a-matter-of-fact-2025-is-over-now
sk_learn_estimator_of_the_2nd_kind_here
key_0123456789abcdef
path/to/pattern.abcdef0123456789
fc-cache-0123456789abcdef
https://h/x?sig=1&y=2
https://discord.com/api/webhooks/docs
secret_manager_of_the_2nd_kind_in_this_place_is_x
1//0 is no division
-us12 and 0123456789abcdef-us12
the sha256~ of a thing
password_hash(password)
""".strip().split("\n")

SHAPES = [
    "ghp_" + "a1" * 18, "github_pat_" + "a1" * 30, "gho_" + "A1" * 18, "glpat-" + "a1" * 10,
    "xoxb-123456789012-abcdefghij", "AKIA" + "ABCD" * 4, "sk-ant-api03-" + "aB1-_" * 18, "sk-" + "aB1" * 16,
    "sk-proj-" + "aB1" * 20, "AIzaSy" + "a1B" * 11, "sk_live_" + "a1" * 12, "rk_test_" + "a1" * 12, "npm_" + "a1" * 18,
    "pypi-AgEIcHlwaS5vcmc" + "a1B" * 20, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123_-x", "hf_" + "a1" * 17,
    "ya29." + "a1B" * 20, "SG." + "a1B" * 7 + "." + "a1B" * 14, "whsec_" + "a1" * 16, "hvs." + "a1B" * 10,
    "ghs_123456_eyJ" + "a1B" * 9 + "." + "a1-_" * 30 + "." + "aB1" * 12, "AQ.Ab8RN6" + "aB1_" * 11,
    "1//0" + "gA1-" * 15, "lsv2_pt_" + "a1" * 16 + "_" + "b2" * 5, "pplx-" + "aB1" * 16, "csk-" + "a1b" * 16,
    "tvly-dev-" + "aB1" * 10, "fc-" + "a1" * 16, "ntn_" + "aB1" * 15, "secret_" + "a1B" * 14 + "x", "sbp_" + "a1" * 20,
    "sb_secret_" + "aB1_" * 8, "vck_" + "aB1" * 18, "vercel_blob_rw_" + "aB1" * 6 + "_" + "aB1" * 10,
    "nfp_" + "aB1" * 12, "napi_" + "a1" * 32, "pscale_tkn_" + "aB1_" * 10, "dp.pt." + "aB1" * 14, "fm2_" + "aB1/" * 30,
    "rnd_" + "aB1" * 10, "nvapi-" + "aB1-" * 16, "PMAK-" + "a1" * 12 + "-" + "b2" * 17, "NRAK-" + "AB1" * 9,
    "glsa_" + "aB1d" * 8 + "_" + "a1" * 4, "glc_eyJ" + "aB1" * 20, "sntrys_eyJ" + "aB1" * 20 + "=_" + "aB1" * 14,
    "sntryu_" + "a1" * 32, "pat" + "aB1d5e7" * 2 + "." + "a1" * 32, "ATATT3" + "aB1-_" * 30 + "=ABCD",
    "figd_" + "aB1-" * 10, "pul-" + "a1" * 20, "a1B2c3D4e5F6g7.atlasv1." + "aB1" * 22, "cfut_" + "aB1" * 15,
    "abc8Q~" + "aB1~" * 8 + "aB", "ops_eyJ" + "aB1" * 60, "bkua_" + "a1" * 20, "r8_" + "aB1" * 12 + "x",
    "CCIPAT_" + "aB1" * 7 + "_" + "a1" * 20, "sl.u." + "aB1-" * 30, "EAA" + "aB1" * 40, "EAAA" + "aB1" * 20,
    "tgp_v1_" + "aB1_" * 10, "sk_" + "a1" * 24, "re_aB1cD2eF_" + "aB1" * 8, "e2b_" + "a1" * 20,
    "pcsk_aB1cD_" + "aB1" * 20, "jina_" + "aB1_" * 13, "crsr_" + "a1" * 32, "key_" + "a1" * 32,
    "sgp_" + "a1" * 8 + "_" + "a1" * 20, "phx_" + "aB1" * 14, "rubygems_" + "a1" * 24, "oy2" + "a1b" * 14 + "c",
    "cio" + "aB1d" * 8, "dt0c01." + "AB1" * 8 + "." + "AB12" * 16, "AKCp" + "aB1" * 23, "ABSK" + "aB1d" * 32,
    "bedrock-api-key-" + "aB1d" * 30, "IQoJb3JpZ2luX2Vj" + "aB1/" * 50, "sha256~" + "aB1_" * 10 + "xyz",
    "wandb_v1_" + "aB1" * 20, "sk_org_live_" + "aB1" * 9, "shptka_" + "a1" * 16, "CFPAT-" + "aB1" * 14,
    "squ_" + "a1" * 20, "snyk_uat.a1b2c3d4." + "aB1." * 14, "tfp_" + "aB1_" * 12,
    "MT" + "aB1d" * 6 + ".aB1-_x." + "aB1d" * 8, "1234567890:AA" + "aB1" * 11, "bot1234567890:AA" + "aB1" * 11,
    "a1" * 16 + "-us12", "sk.eyJ" + "aB1" * 20 + "." + "aB1" * 7, "glrtr-" + "aB1" * 8, "aio_" + "aB1d" * 7,
    "HRKU-" + "aB1-" * 12, "ddp_" + "aB1" * 12, "ark-a1b2c3d4-a1b2-a1b2-a1b2-a1b2c3d4e5f6", "as-" + "aB1" * 7 + "x",
    "fw_" + "aB1" * 8, "AQVN" + "aB1" * 12, "sk-kimi-" + "aB1d" * 16, "tid=" + "a1" * 16 + ";exp=1;sku=x:" + "a1" * 16,
    "api_org_" + "aB" * 17,
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


@pytest.mark.parametrize(
    "before", ["\\n", "\\\\n", "\\t", "%3D", "\\u003d", "\x1b[32m", "\\u001b[0m", "\\x1b[1;31m", "\x1b[m"]
)
def test_tokens_are_known_behind_line_ends_and_colours_however_written(before: str) -> None:
    for token in SHAPES[:12]:
        assert hide_words(f"a{before}{token}\x1b[0m") == f"a{before}{HIDDEN}\x1b[0m"


@pytest.mark.parametrize(
    "url",
    [
        "https://discord.com/api/webhooks/1234567890123456789/{}", "https://a.webhook.office.com/webhookb2/{}",
        "https://a.blob.core.windows.net/c?sv=2022-11-02&se=2030-01-01&sig={}", "https://b.s3.amazonaws.com/k?x=1&X-Amz-Signature={}",
    ],
)  # fmt: skip
def test_what_opens_an_address_by_itself_is_hidden_in_it(url: str) -> None:
    secret = "a1b2" * 17
    assert secret not in hide_words(f"see {url.format(secret)} there")
    assert hide_words(f"see {url.format(secret)} there").startswith("see https://")


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
        "token.token-token_", "ghp_", "eyJ", "eyJa.", " eyJa.", " sl.", "MT", " MT.", "pat", ":AA", "1:AA", "sig=",
        "-us1", "a-us1", "8Q~", "\x1b[1m", "password\x1b[1m:", "tid=", "sk-a", "password: \x1b[1m",
        "login a password ", '"', "\\",
    ],
)  # fmt: skip
def test_long_text_takes_linear_time(piece: str) -> None:
    """Were it not so, a megabyte would take hours."""
    secrets_in(piece * (1_000_000 // len(piece)))
    may_hold_words(piece * (1_000_000 // len(piece)))
