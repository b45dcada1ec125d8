# SPDX-License-Identifier: MIT
"""dagrun web: its token, its address, its names."""
import os
import pty
import stat
import subprocess
import unittest

from harness import DAGRUN
from web_case import GRAPH, Web


class Starting(Web):
    def test_the_token_is_ours_alone_and_url_says_where(self):
        path = os.path.join(self.home, "web.token")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(self.dagrun("web", "--url").out,
                         f"http://{self.address}/#token={self.token}\n")
        for pid, argv in self.processes().items():
            self.assertNotIn(self.token, " ".join(argv))
        self.refused("web", code=5, words=["runs already", "--url"])
        self.stop(self.server)
        self.refused("web", "--url", code=4, words=["no web server runs"])
        os.chmod(path, 0o644)
        self.refused("web", code=2, words=["can be read by others", "chmod 600"])

    def test_a_port_that_is_taken_is_passed_over_unless_it_was_said(self):
        other = os.path.join(self.dir, "other")
        self.refused("web", "--listen", self.address, code=5, words=["can't listen"],
                     env={"DAGRUN_HOME": other})
        self.refused("web", "--listen", "127.0.0.1:x", code=2, words=["PORT"])
        self.refused("web", "--listen", "1:2:3", code=2, words=["PORT"])
        self.refused("web", "--allow-host", "a:1", code=2, words=["without a port"])
        self.refused("web", "--lisen", "1", code=2, words=["did you mean '--listen'"])

    def test_a_start_says_where_the_page_of_its_run_is(self):
        path = self.dag(GRAPH)
        link = f"dagrun: http://{self.address}/#/runs/{self.name}/"
        self.assertIn(link + "1\n", self.dagrun("start", path).err)
        started = self.dagrun("start", "-d", "--keep", path)
        self.assertEqual(started.err, link + "2\n")
        self.assertNotIn(self.token, started.out + started.err)
        self.dagrun("stop", "--now", self.name)
        self.stop(self.server)
        self.assertEqual(self.dagrun("start", "-d", "--keep", path).err, "")
        self.dagrun("stop", "--now", self.name)
        ours, theirs = pty.openpty()
        try:
            subprocess.run([DAGRUN, "start", "-d", path], env=self.env, stdin=theirs,
                           stdout=subprocess.DEVNULL, stderr=theirs, timeout=60, check=True)
            self.assertIn(b"'dagrun web --url' prints its address", os.read(ours, 4096))
        finally:
            os.close(ours)
            os.close(theirs)
        self.dagrun("stop", "--now", self.name, code=None)

    def test_a_name_may_be_allowed_as_host(self):
        self.stop(self.server)
        self.server = self.serve("--allow-host", "dagrun.example")
        named = {"Host": "dagrun.example", "Origin": "https://dagrun.example"}
        self.assertEqual(self.ask("GET", "/api/v1/runs", headers=named)[0], 200)
        self.assertEqual(self.ask("GET", "/healthz", headers={"Host": "x.example"})[0], 403)


if __name__ == "__main__":
    unittest.main()
