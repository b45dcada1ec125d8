# SPDX-License-Identifier: MIT
"""The embedded broker as the default: started by the first start, shared, kept alive under
runs, ended when nobody uses it."""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import unittest

from harness import Case, DAGRUN, ROOT, ids, wait_for

GRAPH = """
nodes:
  src:  {program: producer, with: {count: %(count)d, rate: %(rate)d}}
  work: {program: copy, from: src, clients: 2}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class Embedded(Case):
    def setUp(self):
        super().setUp()
        del self.env["DAGRUN_BROKERS"]
        self.path = self.dag(GRAPH % {"count": 50, "rate": 0})

    def broker(self):
        return json.loads(self.dagrun("broker", "status", "--json").out)

    def next_broker(self, last_pid):
        now = json.loads(self.dagrun("broker", "status", "--json", code=None).out)
        return now if now["running"] and now["pid"] != last_pid else None

    def settings(self, text):
        return self.write("home/broker/settings.yaml", text)

    def test_the_readme_graph_gives_its_result_with_nothing_else_running(self):
        done = self.dagrun("start", os.path.join(ROOT, "dags", "arithmetic.yaml"))
        self.assertIn("Result of operation sum is ::: 7", done.out)
        self.assertEqual(self.json("history", "arithmetic")["runs"][0]["state"], "succeeded")
        self.assertEqual(self.json("show", "arithmetic@last")["broker"], "embedded")
        self.assertTrue(self.broker()["running"])

    def test_topics_outlive_the_broker(self):
        self.dagrun("start", self.path)
        first = self.broker()
        self.dagrun("broker", "stop")
        self.dagrun("broker", "status", code=3)
        seen = self.dagrun("tap", f"{self.name}/src:work", "--limit", "50").out  # starts it
        self.assertEqual(len(seen.splitlines()), 50)
        second = self.broker()
        self.assertEqual(second["address"], first["address"])
        self.assertNotEqual(second["pid"], first["pid"])

    def test_a_broker_that_is_killed_is_started_again_and_nothing_is_lost(self):
        count = 20000
        self.dagrun("start", self.dag(GRAPH % {"count": count, "rate": 2000}), "-d")
        for done in (2000, 8000, 14000):
            self.wait_lines(done)
            before = self.broker()
            os.kill(before["pid"], signal.SIGKILL)
            after = wait_for(lambda: self.next_broker(before["pid"]), "the broker is back", 30)
            self.assertEqual(after["address"], before["address"])
        self.wait_state("succeeded", limit=120)
        seen = ids(self.out())
        self.assertEqual([i for i in range(1, count + 1) if i not in seen][:10], [])
        self.assert_balanced()
        self.assertEqual({a["attempt"] for a in self.show()["attempts"]}, {1})

    def test_a_broker_in_use_is_not_stopped(self):
        self.dagrun("start", self.dag(GRAPH % {"count": 100000, "rate": 100}), "-d")
        self.refused("broker", "stop", code=5, words=[self.name, "dagrun stop"])
        self.dagrun("stop", self.name)
        self.dagrun("broker", "stop")

    def test_under_a_run_it_comes_back_where_it_was_or_not_at_all(self):
        self.dagrun("start", self.dag(GRAPH % {"count": 3000, "rate": 1000}), "-d")
        self.wait_lines(200)
        before = self.broker()
        runner = self.runner()
        os.kill(runner, signal.SIGSTOP)  # it would be faster than we are
        os.kill(before["pid"], signal.SIGKILL)
        wait_for(lambda: self.dagrun("broker", "status", code=None).code == 3, "its end")
        words = [self.name, before["address"], "stop --now"]
        for verb in ("start", "run"):
            self.refused("broker", verb, "--listen", f"127.0.0.1:{free_port()}", code=5,
                         words=words)
            self.refused("broker", verb, "--data", os.path.join(self.dir, "d"), code=5,
                         words=[self.name, before["data"]])
        port = int(before["address"].rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)):
            self.refused("broker", "start", code=5, words=words)
        os.kill(runner, signal.SIGCONT)
        self.wait_state("succeeded")
        self.assertEqual(self.broker()["address"], before["address"])
        self.assertEqual(len(ids(self.out())), 3000)

    def test_starts_at_the_same_time_share_one(self):
        runs = []
        for i in range(3):
            path = self.write(f"dags/d{i}.yaml", f"name: {self.name}-{i}\n" + GRAPH %
                              {"count": 20, "rate": 0})
            runs.append(self.spawn("start", path))
        for run in runs:
            self.ended(run, 0)
        brokers = [argv for argv in self.processes().values()
                   if argv[1:3] == ["broker", "run"]]
        self.assertEqual(len(brokers), 1)

    def test_it_ends_when_nobody_uses_it(self):
        self.dagrun("broker", "start", "--idle-stop", "200ms")
        wait_for(lambda: self.dagrun("broker", "status", code=None).code == 3, "its end")
        self.assert_no_process()

    def test_whoever_needs_it_starts_it_with_the_options_of_last_time(self):
        data = os.path.join(self.dir, "elsewhere")
        self.dagrun("broker", "start", "--data", data, "--idle-stop", "1s")
        wait_for(lambda: self.dagrun("broker", "status", code=None).code == 3, "its end")
        self.dagrun("start", self.path)
        self.assertIn(f"{self.name}.src.work-0", os.listdir(data))
        self.assertFalse(os.path.exists(os.path.join(self.home, "broker", "data")))

    def test_it_comes_back_where_it_listened_and_not_where_it_is_advertised(self):
        listen, advertised = free_port(), free_port()
        self.dagrun("broker", "start", "--listen", f"127.0.0.1:{listen}", "--advertise",
                    f"127.0.0.1:{advertised}")
        with forwarder(advertised, listen):
            self.dagrun("start", self.dag(GRAPH % {"count": 2000, "rate": 500}), "-d")
            self.wait_lines(200)
            before = self.broker()
            os.kill(before["pid"], signal.SIGKILL)
            wait_for(lambda: self.next_broker(before["pid"]), "the broker is back", 30)
            self.wait_state("succeeded")
        self.assertEqual(len(ids(self.out())), 2000)

    def test_a_run_whose_program_was_replaced_starts_it_again(self):
        folder = os.path.dirname(DAGRUN)
        bin = os.path.join(self.dir, "bin")
        os.mkdir(bin)
        shutil.copy(DAGRUN, bin)
        os.symlink(os.path.join(folder, "nodes"), os.path.join(bin, "nodes"))
        path = self.dag(GRAPH % {"count": 2000, "rate": 500})
        run = subprocess.Popen([os.path.join(bin, "dagrun"), "start", path], cwd=self.dir,
                               env=self.env, stderr=subprocess.DEVNULL)
        self.wait_lines(200)
        os.unlink(os.path.join(bin, "dagrun"))
        before = self.broker()
        os.kill(before["pid"], signal.SIGKILL)
        wait_for(lambda: self.next_broker(before["pid"]), "the broker is back", 30)
        self.assertEqual(run.wait(60), 0)
        self.assertEqual(len(ids(self.out())), 2000)

    def test_settings_come_from_the_file_and_options_win(self):
        port = free_port()
        self.settings(f"listen: 127.0.0.1:{port}\npartitions: 3\nauto_create_topics: true\n")
        self.assertEqual(self.dagrun("broker", "start").out.strip(), f"127.0.0.1:{port}")
        self.dagrun("broker", "stop")
        other = free_port()
        said = self.dagrun("broker", "start", "--listen", f"127.0.0.1:{other}").out
        self.assertEqual(said.strip(), f"127.0.0.1:{other}")

    def test_bad_settings_are_all_named(self):
        path = self.settings("fsnyc: always\nretention: soon\npartitions: [1]\n")
        for verb in ("start", "run"):
            said = self.refused("broker", verb, code=2, words=[
                f"{path}:1:1", "did you mean 'fsync'?", f"{path}:2:12", "a duration",
                f"{path}:3:13"]).err
            self.assertEqual(len(said.splitlines()), 3)
        self.refused("start", self.path, code=2, words=[f"{path}:1:1"])
        os.unlink(path)
        os.mkdir(path)
        self.refused("broker", "start", code=2, words=[path, "directory"])
        os.rmdir(path)
        self.refused("broker", "start", "--data", code=2, words=["--data: expected"])
        self.refused("broker", "start", "--fsync", "never", code=2,
                     words=["--fsync never", "interval or always"])
        self.refused("broker", "start", "--fsnyc", "never", code=2, words=["--fsnyc"])
        self.refused("broker", "begin", code=2, words=["start, stop, status"])
        self.assert_no_process()

    def test_a_port_that_is_taken_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            listen = f"127.0.0.1:{taken.getsockname()[1]}"
            self.refused("broker", "start", "--listen", listen, code=5, words=[listen])
        self.assert_no_process()

    def test_two_brokers_do_not_share_a_data_folder(self):
        data = os.path.join(self.dir, "data")
        self.dagrun("broker", "start", "--data", data)
        other = {"DAGRUN_HOME": os.path.join(self.home, "other")}
        for verb in ("start", "run"):
            self.refused("broker", verb, "--data", data, code=5, env=other,
                         words=["another broker uses", data])

    def test_status_says_what_serves_and_how_much_room_it_has(self):
        self.dagrun("broker", "start")
        version = self.json("version")["dagrun"]
        self.assertEqual(self.broker()["version"], version)
        self.assertGreater(self.broker()["free_bytes"], 0)
        said = self.dagrun("broker", "status").out
        self.assertRegex(said, rf"version +{version}\n")
        self.assertRegex(said, r"data .*\([0-9.]+ [KMGT]?i?B free\)")

    def test_its_log_has_an_upper_size(self):
        log = self.write("home/broker/log", "")
        os.truncate(log, 9 << 20)
        self.dagrun("broker", "start")
        wait_for(lambda: os.path.exists(log + ".1"), "a new log")
        wait_for(lambda: os.path.exists(log) and os.path.getsize(log) < 4096, "a short one")
        self.dagrun("start", self.path)  # it goes on

    def test_it_comes_back_on_a_full_disk(self):
        os.mkdir(self.home)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", self.home],
                          stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("a small disk can't be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.home], check=False)
        self.dagrun("broker", "start")
        fill = os.path.join(self.home, "fill")
        with contextlib.suppress(OSError), open(fill, "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        os.kill(self.broker()["pid"], signal.SIGKILL)
        wait_for(lambda: self.dagrun("broker", "status", code=None).code == 3, "its end")
        self.dagrun("broker", "start")
        self.assertEqual(self.broker()["free_bytes"], 0)
        os.unlink(fill)
        self.dagrun("start", self.path)
        self.assertEqual(len(self.out()), 50)

    def test_two_brokers_are_not_started_on_one_state_directory(self):
        self.dagrun("broker", "start")
        self.dagrun("broker", "start")  # is there: fine
        self.refused("broker", "run", code=5, words=["runs already"])
        self.refused("broker", "start", "--partitions", "2", code=5, words=["other options"])

    def test_a_dead_broker_is_not_taken_for_the_one_that_just_has_the_lock(self):
        self.dagrun("broker", "start")
        os.kill(self.broker()["pid"], signal.SIGKILL)
        wait_for(lambda: self.dagrun("broker", "status", code=None).code == 3, "its end")
        # A new one has the lock, but has not written its pid into it yet.
        with open(os.path.join(self.home, "broker", "lock"), "r+b") as lock:
            fcntl.fcntl(lock, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK,
                                                             os.SEEK_SET, 0, 0, 0))
            self.dagrun("broker", "status", code=3)

    def test_one_in_front_ends_with_a_signal(self):
        for sign in (signal.SIGINT, signal.SIGTERM):
            process = self.spawn("broker", "run")
            wait_for(lambda: self.dagrun("broker", "status", code=None).code == 0, "it serves")
            process.send_signal(sign)
            self.ended(process, 0)

    def test_on_the_way_back_from_another_broker_only_what_is_unread_is_dropped(self):
        self.dagrun("start", self.path)
        elsewhere = ("--brokers", self.brokers)
        self.refused("start", self.path, *elsewhere, code=5, words=["embedded", "--fresh"])
        self.dagrun("start", self.path, "--fresh", *elsewhere)
        self.refused("clean", self.name, "--brokers", "embedded", "--yes", code=5,
                     words=["embedded", self.brokers])
        self.dagrun("send", f"{self.path}/work", "--brokers", "embedded", text="a\nb\nc\n")
        self.dagrun("start", self.path, "--fresh")
        totals = self.assert_balanced()
        self.assertEqual(totals["work"]["dropped"], 3)
        self.assertEqual(totals["work"]["in"], 53)
        self.assertEqual(totals["out"]["dropped"], 0)
        self.assertEqual(len(self.out()), 150)
        self.dagrun("clean", self.name, "--yes", limit=120)
        self.assertIn(f"{self.name}.src.work", self.probe.topics(f"{self.name}."))

    def test_it_can_be_named_over_the_environment(self):
        self.env["DAGRUN_BROKERS"] = "127.0.0.1:1"
        self.dagrun("start", self.path, "--brokers", "embedded")
        self.assertEqual(len(self.out()), 50)


@contextlib.contextmanager
def forwarder(port, to):
    """What docker -p does: connections to a port go to another one."""
    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):  # close alone would not wake the other thread's recv
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def serve():
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", to))
            except OSError:
                near.close()
                continue
            for pair in ((near, far), (far, near)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", port)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield
        server.shutdown(socket.SHUT_RDWR)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


if __name__ == "__main__":
    unittest.main()
