"""What the server answers for the APIs when something is missing or too much: in each API's own format."""
import os
import re
import signal
import unittest
import xml.etree.ElementTree as ElementTree

import service
from service import Connection, Service, basic, exchange, request_bytes

MANAGEMENT = {"Authorization": basic("api-demo", "ps_test_demo"), "Content-Type": "application/json"}
ADMIN = {"Authorization": basic("admin", "ps_test_demo"), "Content-Type": "application/json"}
STANCER = {"Authorization": basic("stest_000000000000000000000000"), "Content-Type": "application/json"}


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Service(service.service.billd, http__body_timeout="300ms", http__body_rate_min="0",
                             http__connections_max="3", http__connections_per_peer_max="3",
                             redis__reply_timeout="300ms")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def slow(self, method, path, headers):
        """Sends half of a body and waits."""
        connection = Connection(self.daemon.api)
        connection.send(request_bytes(method, path, {**headers, "Content-Length": "10"}, b"{"))
        answer = connection.read()
        connection.close()
        return answer

    def test_a_body_that_does_not_arrive_in_time(self):
        answer = self.slow("PUT", "/api/v01/customers", MANAGEMENT)
        self.assertEqual((answer.status, answer.json["failureCode"]), (408, "E2"), answer)
        answer = self.slow("POST", "/users", ADMIN)
        self.assertEqual((answer.status, answer.header("Content-Type")), (408, "errors/json"), answer)
        answer = self.slow("POST", "/v1/customers", STANCER)
        self.assertEqual((answer.status, list(answer.json["error"])), (408, ["type", "message"]), answer)

    def test_more_connections_than_are_allowed(self):
        for name, expected in (("management", "E1"), ("funding_sources", "ACT_OF_GOD")):
            address = self.daemon.addresses[name]
            busy = [Connection(address) for _ in range(3)]
            for each in busy:
                each.send("GET / HTTP/1.1\r\n")
            refused = [exchange(address, "GET", "/", MANAGEMENT) for _ in range(5)][-1]
            self.assertEqual(refused.status, 503, refused)
            self.assertIn(expected, refused.body)
            for each in busy:
                each.close()

    def test_a_redis_that_does_not_answer(self):
        process = int(re.search(r"redis-server \((\d+)\) runs", self.daemon.log_path.read_text())[1])
        os.kill(process, signal.SIGSTOP)
        try:
            answers = [exchange(self.daemon.api, "GET", "/api/v01/customers", MANAGEMENT),
                       exchange(self.daemon.api, "GET", "/api/v01/customers", {**MANAGEMENT, "Accept": "text/xml"}),
                       exchange(self.daemon.api, "GET", "/users/ann", ADMIN),
                       exchange(self.daemon.api, "POST", "/v1/customers", STANCER, "{}")]
        finally:
            os.kill(process, signal.SIGCONT)
        self.assertEqual([answer.status for answer in answers], [503] * 4, answers)
        self.assertEqual(answers[0].json["failureCode"], "E1")
        self.assertEqual(ElementTree.fromstring(answers[1].body).attrib["failureCode"], "E1")
        self.assertEqual(answers[2].json["errors"], [{"code": "ACT_OF_GOD"}])
        self.assertEqual(list(answers[3].json["error"]), ["type", "message"])
