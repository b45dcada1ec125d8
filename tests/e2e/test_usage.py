# SPDX-License-Identifier: MIT
"""Bad usage and a bad machine: one line that says what to do, the right exit code, nothing
left behind."""
import errno
import os
import subprocess
import unittest

from harness import DAGRUN, Case, wait_for

GOOD = """
nodes:
  src: {program: producer, with: {count: 100}}
  out: {program: file, from: src, with: {path: out.jsonl}}
"""


class Usage(Case):
    def refused_file(self, path, code=2, words=()):
        before = set(self.probe.topics(self.name))
        for verb in ("validate", "start"):
            said = self.refused(verb, path, code=code, words=words).err
            self.assertLess(len(said.splitlines()), 4, said)
            self.assertNotIn("Assert", said)
        self.assertEqual(set(self.probe.topics(self.name)), before)
        self.assert_no_process()
        return said

    def program(self, value):
        return self.dag(GOOD.replace("producer", value))

    def test_no_such_file(self):
        for verb in ("validate", "start"):
            done = self.dagrun(verb, "nowhere.yaml", code=None)
            self.assertIn(done.code, (2, 4))
            self.assertIn("nowhere.yaml", done.err)

    def test_an_unreadable_file(self):
        os.symlink("loop.yaml", os.path.join(self.dir, "loop.yaml"))
        for verb in ("validate", "start"):
            done = self.dagrun(verb, "loop.yaml", code=None)
            self.assertIn(done.code, (2, 4))
            self.assertIn("loop.yaml", done.err)

    def test_a_directory(self):
        os.mkdir(os.path.join(self.dir, "folder"))
        self.refused_file("folder", words=["folder"])

    def test_an_empty_file(self):
        self.refused_file(self.write("empty.yaml", ""), words=["empty.yaml"])

    def test_binary_junk(self):
        path = os.path.join(self.dir, "junk.yaml")
        with open(path, "wb") as file:
            file.write(bytes(range(256)) * 40)
        self.refused_file(path, words=["junk.yaml"])

    def test_a_file_of_two_mebibytes(self):
        self.refused_file(self.write("big.yaml", "# " + "x" * (2 << 20) + "\n"),
                          words=["big.yaml", "1 MiB"])

    def test_a_program_that_does_not_exist(self):
        self.refused_file(self.program("prodcer"), words=["prodcer", "producer"])
        self.refused_file(self.program("./gone"), words=["gone"])

    def test_a_program_that_is_not_executable(self):
        self.write("dags/plain", "#!/bin/sh\n")
        self.refused_file(self.program("./plain"), words=["plain", "executable"])

    def test_a_program_that_is_no_node(self):
        path = self.write("dags/alien", "#!/bin/sh\necho hello\n")
        os.chmod(path, 0o755)
        self.refused_file(self.program("./alien"), words=["alien"])

    def test_no_command_and_unknown_ones(self):
        self.assertIn("usage", self.dagrun(code=2).err)
        self.assertIn("start", self.refused("strat", code=2, words=["strat"]).err)
        self.refused("start", code=2)
        self.refused("start", "--no-such-option", code=2, words=["--no-such-option"])
        self.refused("start", self.dag(GOOD), "--param", "nonsense", code=2)

    def test_things_that_are_not_there(self):
        for args in (("status", "nodag"), ("show", "nodag@1"), ("stop", "nodag"),
                     ("logs", "nodag/x"), ("send", "--value", "1", "nodag/x"),
                     ("tap", "nodag/a:b")):
            with self.subTest(args):
                self.refused(*args, code=4, words=["nodag"])

    def test_a_broker_that_can_not_be(self):
        path = self.dag(GOOD)
        for broker in ("localhost:99999", "localhost:0", "localhost:", ""):
            with self.subTest(broker):
                for verb in ("start", "plan"):
                    self.refused(verb, path, "--brokers", broker, code=2,
                                 words=["--brokers", f"'{broker}'", "HOST:PORT"])
        self.env["DAGRUN_BROKERS"] = "localhost:99999"
        self.refused("plan", path, code=2, words=["DAGRUN_BROKERS", "HOST:PORT"])

    def test_names_that_are_nearly_right(self):
        path = self.dag(GOOD)
        self.dagrun("start", path)
        self.refused("send", "--value", "1", f"{self.name}/uot", code=4,
                     words=["did you mean 'out'"])
        for verb in ("logs", "status"):
            self.refused(verb, f"{self.name}/scr", code=4, words=["did you mean 'src'"])
        self.refused("restart", "src.0", code=4, words=["src.0", "no dag of that name"])
        self.refused("send", f"{self.name}/src", "1", "2", "3", "4", code=2)

    def test_what_send_can_not_send_is_told_once(self):
        path = self.dag(GOOD)
        said = self.refused("send", f"{path}/src", "1", "2", "3", "4", code=2).err
        self.assertEqual(len(said.splitlines()), 1, said)
        big = "x" * 5_000_000
        said = self.refused("send", f"{path}/out", code=1, text=f"a\n{big}\nb\n",
                            words=["5000000 bytes", "max_record: 2097152", "edge",
                                   "1 record was sent before that"]).err
        self.assertEqual(len(said.splitlines()), 1, said)
        self.assertEqual(self.probe.values(self.topic("src:out")), ["a"])

    def test_a_run_is_named_only_where_it_is_shown(self):
        path = self.dag(GOOD)
        for _ in range(2):
            self.dagrun("start", path)
        self.refused("status", f"{self.name}@1", code=2, words=[f"dagrun show {self.name}@1"])
        for name in (f"{self.name}@2", f"{self.name}@last/src"):
            self.assertIn(f"{self.name}@2", self.dagrun("status", name).out)
        self.refused("status", f"{self.name}/src:out", code=2, words=["DAG/NODE"])
        self.refused("tap", f"{self.name}@1/src:out", code=2, words=["all runs", "--since"])

    def test_completion_has_the_words_of_a_command(self):
        script = self.write("completion", self.dagrun("completion", "bash").out)
        for words, begun, found in ((["web"], "us", ["user"]), (["dlq"], "re", ["replay"]),
                                    (["web", "user"], "pas", ["passwd"]),
                                    (["tap"], "--lim", ["--limit"]), ([], "comp", ["completion"])):
            line = " ".join(["dagrun", *words, begun])
            done = subprocess.run(
                ["bash", "-c", f"source {script}; COMP_WORDS=({line}); "
                 f"COMP_CWORD={len(words) + 1}; _dagrun; printf '%s\\n' \"${{COMPREPLY[@]}}\""],
                capture_output=True, text=True, check=True, cwd=self.dir,
                env=dict(self.env, PATH=f"{os.path.dirname(DAGRUN)}:/usr/bin:/bin"))
            self.assertEqual(done.stdout.split(), found, line)

    def test_a_state_directory_below_a_file(self):
        blocked = self.write("blocked", "a file")
        path = self.dag(GOOD)
        self.env["DAGRUN_HOME"] = os.path.join(blocked, "home")
        said = self.refused("start", path, code=1, words=["blocked", "DAGRUN_HOME"]).err
        self.assertLess(len(said.splitlines()), 4, said)
        self.assertEqual(self.probe.topics(self.name), [])

    def tmpfs(self, options):
        folder = os.path.join(self.dir, "small")
        os.mkdir(folder)
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        done = subprocess.run([*root, "mount", "-t", "tmpfs", "-o",
                               f"mode=0777,{options}", "dagrun-e2e", folder],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"mount needs root: {done.stderr}")
        self.addCleanup(subprocess.run, [*root, "umount", "-l", folder], check=True)
        self.home = os.path.join(folder, "home")
        self.env["DAGRUN_HOME"] = self.home
        return folder

    def test_a_read_only_state_directory(self):
        folder = self.tmpfs("size=1m,ro")
        said = self.refused("start", self.dag(GOOD), code=1, words=[folder, "DAGRUN_HOME"]).err
        self.assertLess(len(said.splitlines()), 4, said)
        self.assertEqual(self.probe.topics(self.name), [])

    def fill(self, folder):
        with open(os.path.join(folder, "ballast"), "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError as full:
                self.assertEqual(full.errno, errno.ENOSPC)

    def test_a_full_disk_before_the_start(self):
        folder = self.tmpfs("size=256k")
        self.fill(folder)
        done = self.refused("start", self.dag(GOOD), code=None, words=["space"])
        self.assertIn(done.code, (0, 1))
        self.assert_no_process()
        if done.code == 0:  # the data is never affected, only the history
            self.assertEqual(len(self.out()), 100)

    def test_a_disk_that_fills_in_mid_run_degrades_only_the_history(self):
        folder = self.tmpfs("size=4m")
        path = self.dag(GOOD.replace("count: 100", "count: 5000, rate: 1000"))
        self.dagrun("start", path, "-d")
        self.wait_lines(100)
        self.fill(folder)
        self.wait_lines(3000)
        self.assertTrue(self.clients(), "it ended before the disk was free again")
        os.unlink(os.path.join(folder, "ballast"))
        self.wait_state("succeeded", "degraded")
        self.assertEqual(len(self.out()), 5000)


if __name__ == "__main__":
    unittest.main()
