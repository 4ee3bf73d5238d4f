# SPDX-License-Identifier: Apache-2.0
"""Operators, accounts and users of NATS, as `nsc` would make them: keys (Ed25519), the signed claims that say who
trusts whom (JWT), what a server has to know of them, and the credentials file of a user.

    operator ── signs ──► account ── signs ──► user ── signs ──► what the server sends him when he connects

A key as text is base 32 of prefix bytes, 32 bytes of the key, and their CRC-16:

    public key   kind << 3                      | key  | CRC
    seed         18 << 3 | kind >> 5, kind << 3 | seed | CRC
"""

import base64
import binascii
import hashlib
import json
import os
import pathlib
import subprocess
import time

OPERATOR, ACCOUNT, USER = 14 << 3, 0, 20 << 3
_SEED = 18 << 3
# What is in front of 32 bytes to make a private key that openssl reads (PKCS #8).
_PRIVATE_KEY = bytes.fromhex("302e020100300506032b657004220420")
# Everything is allowed.
_ACCOUNT_LIMITS = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True, "conn": -1,
                   "leaf": -1}


def _text(data):
    """CRC-16/XMODEM, the lower byte first."""
    crc = binascii.crc_hqx(data, 0).to_bytes(2, "little")
    return base64.b32encode(data + crc).decode().rstrip("=")


def _base64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    """A pair of keys, in a file of the folder."""

    def __init__(self, folder, kind):
        self.kind = kind
        self.seed_bytes = os.urandom(32)
        self.file = pathlib.Path(folder) / f"{binascii.hexlify(os.urandom(8)).decode()}.der"
        self.file.write_bytes(_PRIVATE_KEY + self.seed_bytes)
        public = subprocess.run(["openssl", "pkey", "-inform", "DER", "-in", self.file, "-pubout", "-outform", "DER"],
                                check=True, stdout=subprocess.PIPE).stdout
        self.public = _text(bytes([kind]) + public[-32:])

    @property
    def seed(self):
        return _text(bytes([_SEED | self.kind >> 5, (self.kind & 31) << 3]) + self.seed_bytes)

    def sign(self, data):
        message = self.file.with_suffix(".message")  # no pipe: openssl has to know its length
        message.write_bytes(data)
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", self.file, "-in",
                               message], check=True, stdout=subprocess.PIPE).stdout

    def claim(self, name, subject, nats, **members):
        """A JWT in which this key says something of another one."""
        claims = {"iat": int(time.time()), "iss": self.public, "name": name, "sub": subject.public,
                  "nats": {**nats, "version": 2}, **members}
        claims["jti"] = hashlib.sha256(json.dumps(claims).encode()).hexdigest()
        text = ".".join(_base64(json.dumps(part).encode())
                        for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, claims))
        return f"{text}.{_base64(self.sign(text.encode()))}"


class User:
    """Of an account. Expires at a time in seconds since 1970, if one is given."""

    def __init__(self, folder, account, name, expires=None):
        self.key = Key(folder, USER)
        self.name = name
        self.jwt = None
        self.renew(account, expires)

    def renew(self, account, expires):
        self.jwt = account.key.claim(
            self.name, self.key, {"type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1},
            **({} if expires is None else {"exp": int(expires)}))

    def credentials(self, seed=None):
        """Text of a credentials file."""
        return (f"-----BEGIN NATS USER JWT-----\n{self.jwt}\n------END NATS USER JWT------\n\n"
                f"-----BEGIN USER NKEY SEED-----\n{seed or self.key.seed}\n------END USER NKEY SEED------\n")

    def login(self, info):
        """What a client answers to a server."""
        return {"jwt": self.jwt, "sig": _base64(self.key.sign(info["nonce"].encode()))}


class Account:
    def __init__(self, folder, operator, name):
        self.folder = folder
        self.key = Key(folder, ACCOUNT)
        self.jwt = operator.key.claim(name, self.key, {"type": "account", "limits": _ACCOUNT_LIMITS,
                                                       "default_permissions": {"pub": {}, "sub": {}}})

    def new_user(self, name, expires=None):
        return User(self.folder, self, name, expires)


class Operator:
    """Its files are written into the folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = Key(folder, OPERATOR)
        self.jwt = self.key.claim("operator", self.key, {"type": "operator"})
        self.accounts = []

    def new_account(self, name):
        self.accounts.append(Account(self.folder, self, name))
        return self.accounts[-1]

    def server_configuration(self):
        """With the accounts that there are now."""
        accounts = "".join(f"  {account.key.public}: {account.jwt}\n" for account in self.accounts)
        return f"operator: {self.jwt}\nresolver: MEMORY\nresolver_preload: {{\n{accounts}}}\n"
