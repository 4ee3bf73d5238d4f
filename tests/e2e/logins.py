#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who is let into a cluster: credentials of accounts, names, tokens, keys and certificates, right and wrong; and two
clusters on one server.

    logins.py --furrow PROGRAM --work DIR --fixtures DIR
"""

import json
import ssl
import subprocess
import time

from support import cluster, nats_accounts
from support.cluster import ClusterTest
from support.farmer import request
from support.program import BAD_ARGUMENTS, IO_ERROR, OPTIONS, UNAVAILABLE

PIECES_IN_SECTOR = 2
MAX_PAYLOAD = "max_payload: 2MB\n"


class Logins(ClusterTest):
    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def commands(self):
        return {"plotter": ("--encoder", "cpu", "--max-pieces-in-sector", PIECES_IN_SECTOR),
                "cluster-pieces": ("--store", OPTIONS.store)}

    def lets_in(self, server, *login):
        """With the command line `login`, both nodes are let in."""
        for command, options in self.commands().items():
            with self.subTest(command=command):
                self.end_node(self.start_node(command, server, *options, *login))

    def refuses(self, server, mentions, *login, code=UNAVAILABLE, secrets=()):
        for command, options in self.commands().items():
            with self.subTest(command=command, login=login):
                result = self.fails(code, mentions, command, "--nats-server", server.url, *options, *login)
                for secret in secrets:
                    self.assertNotIn(secret, result.stderr)

    def new_operator(self, name="keys"):
        return nats_accounts.Operator(self.folder / name)

    def test_credentials(self):
        operator = self.new_operator()
        account = operator.new_account("farm")
        server = self.start_server(MAX_PAYLOAD + operator.server_configuration())
        user, expired = account.new_user("node"), account.new_user("old", time.time() - 60)
        right = self.file("right.creds", user.credentials())
        self.lets_in(server, "--nats-credentials", right)
        stranger = self.new_operator("other keys").new_account("farm").new_user("node")
        for name, text in {"expired": expired.credentials(), "of a stranger": stranger.credentials(),
                           "seed of another user": user.credentials(stranger.key.seed)}.items():
            wrong = self.file(name, text)
            self.refuses(server, [server.url, "Authentication Violation", wrong], "--nats-credentials", wrong,
                         secrets=[user.key.seed, expired.key.seed, stranger.key.seed, expired.jwt])
        for name, text in {"empty": "", "no seed": right.read_text().partition("\n\n")[0],
                           "seed cut": user.credentials(user.key.seed[:-4])}.items():
            wrong = self.file(name, text)
            self.refuses(server, [server.url, wrong], "--nats-credentials", wrong, secrets=[user.key.seed[:-4]])
        self.refuses(server, ["absent"], "--nats-credentials", self.folder / "absent", code=IO_ERROR)
        self.refuses(server, [server.url, "Authentication Violation"])

    def test_credentials_that_expire_while_they_are_used(self):
        """Who gets new ones in time goes on with those; who does not, ends and says why."""
        operator = self.new_operator()
        account = operator.new_account("farm")
        server = self.start_server(MAX_PAYLOAD + operator.server_configuration())
        expires = time.time() + 8
        users = {name: account.new_user(name, expires) for name in ("renewed", "expiring")}
        files = {name: self.file(name, user.credentials()) for name, user in users.items()}
        nodes = {name: self.start_plotter(server, "--nats-credentials", file) for name, file in files.items()}
        users["renewed"].renew(account, time.time() + 3600)
        files["renewed"].write_text(users["renewed"].credentials(), encoding="utf-8")
        printed, _ = nodes["expiring"].process.communicate(timeout=60)
        said = nodes["expiring"].said()
        self.assertEqual(nodes["expiring"].process.returncode, UNAVAILABLE, said + printed)
        self.assertIn("xpired", said)
        self.wait_until(lambda: "connected to the cluster again" in nodes["renewed"].said(), "it is back")
        farmer = self.new_farmer(server, login=users["renewed"].login)
        self.assertEqual(self.free_instance(farmer), nodes["renewed"].beginning["plotter"])
        self.end_node(nodes["renewed"])

    def test_name_and_password(self):
        server = self.start_server(MAX_PAYLOAD + 'authorization: {user: node, password: "pass-word"}\n')
        right, wrong = self.file("right", "pass-word\n"), self.file("wrong", "word.pass\n")
        self.lets_in(server, "--nats-user", "node", "--nats-password-file", right)
        self.refuses(server, [server.url, "Authentication Violation"], "--nats-user", "node", "--nats-password-file",
                     wrong, secrets=["word.pass"])
        self.refuses(server, ["Authentication Violation"], "--nats-user", "nobody", "--nats-password-file", right,
                     secrets=["pass-word"])

    def test_token(self):
        server = self.start_server(MAX_PAYLOAD + 'authorization: {token: "sesame"}\n')
        self.lets_in(server, "--nats-token-file", self.file("right", "sesame\n"))
        self.refuses(server, [server.url, "Authentication Violation"], "--nats-token-file",
                     self.file("wrong", "abracadabra\n"), secrets=["abracadabra"])

    def test_nkey(self):
        (self.folder / "keys").mkdir()
        key, other = (nats_accounts.Key(self.folder / "keys", nats_accounts.USER) for _ in range(2))
        server = self.start_server(MAX_PAYLOAD + f"authorization: {{users: [{{nkey: {key.public}}}]}}\n")
        right, wrong = self.file("right", key.seed + "\n"), self.file("wrong", other.seed + "\n")
        self.lets_in(server, "--nats-nkey", key.public, "--nats-nkey-seed-file", right)
        self.refuses(server, [server.url, "Authentication Violation"], "--nats-nkey", key.public,
                     "--nats-nkey-seed-file", wrong, secrets=[other.seed])
        self.refuses(server, ["Authentication Violation"], "--nats-nkey", other.public, "--nats-nkey-seed-file", wrong,
                     secrets=[other.seed])
        self.refuses(server, [server.url], "--nats-nkey", key.public, "--nats-nkey-seed-file",
                     self.file("cut", key.seed[:-3]), secrets=[key.seed[:-3]])
        self.refuses(server, ["--nats-nkey"], "--nats-nkey", key.public, code=BAD_ARGUMENTS)

    def certificate(self, name, authority=None, address=None):
        """A certificate and its key; one that signs others unless an authority is named."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate]
        if address is not None:
            command += ["-addext", f"subjectAltName=IP:{address}"]
        if authority is not None:
            command += ["-CA", authority[0], "-CAkey", authority[1], "-addext", "basicConstraints=CA:FALSE"]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return certificate, key

    def test_certificates(self):
        authority, other_authority = self.certificate("authority"), self.certificate("other authority")
        of_server = self.certificate("server", authority, "127.0.0.1")
        elsewhere = self.certificate("elsewhere", authority, "127.0.0.2")
        node = self.certificate("node", authority)
        stranger = self.certificate("stranger", other_authority)

        def server_with(certificate, key):
            return self.start_server(f'{MAX_PAYLOAD}tls: {{cert_file: "{certificate}", key_file: "{key}", '
                                     f'ca_file: "{authority[0]}", verify: true}}\n')
        server = server_with(*of_server)
        known = ("--nats-ca-file", authority[0])
        self.lets_in(server, *known, "--nats-cert", node[0], "--nats-key", node[1])
        self.refuses(server, [server.url, "ertificate"], *known)
        self.refuses(server, [server.url, "ertificate"], *known, "--nats-cert", stranger[0], "--nats-key", stranger[1])
        self.refuses(server, [server.url, "ertificate"], "--nats-ca-file", other_authority[0], "--nats-cert", node[0],
                     "--nats-key", node[1])
        self.refuses(server, [server.url], "--nats-tls")  # nobody whom the system knows has signed this
        self.refuses(server, [stranger[1], "key values mismatch"], *known, "--nats-cert", node[0], "--nats-key", stranger[1])
        server = server_with(*elsewhere)
        self.refuses(server, [server.url], *known, "--nats-cert", node[0], "--nats-key", node[1])

    def test_a_sector_over_tls(self):
        authority = self.certificate("authority")
        certificate, key = self.certificate("server", authority, "127.0.0.1")
        node, node_key = self.certificate("node", authority)
        server = self.start_server(f'{MAX_PAYLOAD}tls: {{cert_file: "{certificate}", key_file: "{key}", '
                                   f'ca_file: "{authority[0]}", verify: true}}\n')
        login = ("--nats-ca-file", authority[0], "--nats-cert", node, "--nats-key", node_key)
        self.start_node("cluster-pieces", server, "--store", OPTIONS.store, *login)
        plotter = self.start_plotter(server, *login, pieces=())
        context = ssl.create_default_context(cafile=authority[0])
        context.load_cert_chain(node, node_key)
        farmer = self.new_farmer(server, tls=context)
        answer = farmer.plot(self.free_instance(farmer), request(5, PIECES_IN_SECTOR))
        self.assertEqual(answer.error, "")
        self.assertEqual(len(answer.sector), self.sector_size())
        self.assertEqual(self.end_node(plotter)["delivered"], 1)

    def sector_size(self):
        return json.loads(self.succeeds("info", "--json", "--farm", OPTIONS.farm).stdout)["sector_size"]

    def test_two_clusters_on_one_server(self):
        operator = self.new_operator()
        accounts = {name: operator.new_account(name) for name in ("east", "west")}
        server = self.start_server(MAX_PAYLOAD + operator.server_configuration())
        plotters, farmers, nodes = {}, {}, []
        for name, account in accounts.items():
            login = ("--nats-credentials", self.file(name, account.new_user("node").credentials()))
            # Each with its pieces: neither gets the other's.
            pieces = self.start_node("cluster-pieces", server, "--store", OPTIONS.store, *login)
            plotter = self.start_plotter(server, *login, pieces=())
            nodes.append((pieces, plotter))
            plotters[name] = plotter.beginning["plotter"]
            farmers[name] = self.new_farmer(server, login=account.new_user("farmer").login)
        for name, farmer in farmers.items():
            self.free_instance(farmer)
            # Among the plotters of one cluster, the one that answers is drawn.
            self.assertEqual({farmer.free_instance() for _ in range(50)}, {plotters[name]})
        for name, other in (("east", "west"), ("west", "east")):
            farmers[name].begin(plotters[other], request(5, PIECES_IN_SECTOR))
            self.assertIsNone(farmers[name].next(), "there is nobody of that name here")
            farmers[name].forget()
        for name, farmer in farmers.items():
            farmer.begin(plotters[name], request(5, PIECES_IN_SECTOR))
        answers = [farmer.take_all() for farmer in farmers.values()]
        self.assertEqual([answer.error for answer in answers], ["", ""])
        self.assertEqual(len(answers[0].sector), self.sector_size())
        self.assertTrue(answers[0].sector == answers[1].sector)
        given = []
        for pieces, plotter in nodes:
            counts = self.end_node(plotter)
            self.assertEqual((counts["delivered"], counts["malformed"], counts["occupied"]), (1, 0, 0))
            given.append(self.end_node(pieces)["pieces"])
        self.assertGreaterEqual(given[0], 1)
        self.assertEqual(given[0], given[1], "the pieces of one sector each")


if __name__ == "__main__":
    cluster.run_tests(__doc__)
