// SPDX-License-Identifier: MIT
//
// Tools - runs main methods in one JVM, so that a Kafka tool costs milliseconds and not a
// JVM's start.
//
// One JSON object a line on stdin:
//   {"id": N, "class": NAME, "args": […], "stdin": TEXT}   run it in a thread of its own
//   {"id": N, "stop": true}                                run its shutdown hooks
//   {"id": N, "peek": true}                                what run N printed until now
// and one a line on stdout: {"id": N, "code": C, "out": TEXT, "err": TEXT} when run N ends
// (or has been looked at: then code is null). A tool's streams are those of its thread and
// of the threads that it starts; Exit.exit and the hooks are caught by Kafka's own means.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.utils.Exit;

import static java.nio.charset.StandardCharsets.UTF_8;

public final class Tools {
    static final class Run {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final ByteArrayOutputStream err = new ByteArrayOutputStream();
        final List<Runnable> hooks = new ArrayList<>();
        final ThreadGroup threads = new ThreadGroup("tool");
        InputStream in;
        Integer code;
    }

    /** Ends a tool where it called exit. */
    @SuppressWarnings("serial")
    static final class Exited extends RuntimeException {
        Exited() {
            super("exit", null, false, false);
        }
    }

    static final InheritableThreadLocal<Run> current = new InheritableThreadLocal<>();
    static final Map<Integer, Run> runs = new ConcurrentHashMap<>();
    static final ObjectMapper json = new ObjectMapper();
    static PrintStream answers;

    static OutputStream splitter(boolean err) {
        return new OutputStream() {
            @Override
            public void write(int b) {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int from, int count) {
                Run run = current.get();
                if (run != null) {
                    (err ? run.err : run.out).write(bytes, from, count);
                }
            }
        };
    }

    static InputStream input() {
        return new InputStream() {
            @Override
            public int read() throws java.io.IOException {
                return current.get().in.read();
            }

            @Override
            public int read(byte[] bytes, int from, int count) throws java.io.IOException {
                return current.get().in.read(bytes, from, count);
            }
        };
    }

    static void exit(int code) {
        Run run = current.get();
        synchronized (run) {
            if (run.code == null) {
                run.code = code;
            }
        }
        throw new Exited();
    }

    static boolean exited(Throwable thrown) {
        while (thrown != null && !(thrown instanceof Exited)) {
            thrown = thrown.getCause();
        }
        return thrown != null;
    }

    static void run(int id, Run run, String name, String[] args) {
        current.set(run);
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException thrown) {
            if (!exited(thrown.getCause())) {
                run.code = 1;
                thrown.getCause().printStackTrace(System.err);
            }
        } catch (ReflectiveOperationException wrong) {
            run.code = 127;
            wrong.printStackTrace(System.err);
        }
        for (Runnable hook : hooks(run)) {
            hook.run();
        }
        runs.remove(id);
        answer(id, run, run.code == null ? 0 : run.code);
    }

    static void answer(int id, Run run, Integer code) {
        ObjectNode node = json.createObjectNode();
        node.put("id", id);
        node.put("code", code);
        node.put("out", run.out.toString(UTF_8));
        node.put("err", run.err.toString(UTF_8));
        synchronized (answers) {
            answers.println(node);
            answers.flush();
        }
    }

    static void start(int id, JsonNode request) {
        Run run = new Run();
        String[] args = new String[request.get("args").size()];
        for (int i = 0; i < args.length; i++) {
            args[i] = request.get("args").get(i).asText();
        }
        run.in = new ByteArrayInputStream(request.path("stdin").asText("").getBytes(UTF_8));
        runs.put(id, run);
        new Thread(run.threads, () -> run(id, run, request.get("class").asText(), args)).start();
    }

    /** Each hook is given out once. Some tools give theirs to the Runtime. */
    static List<Runnable> hooks(Run run) {
        List<Runnable> taken;
        synchronized (run) {
            taken = new ArrayList<>(run.hooks);
            run.hooks.clear();
        }
        for (Thread hook : runtimeHooks()) {
            if (hook.getThreadGroup() == run.threads
                && Runtime.getRuntime().removeShutdownHook(hook)) {
                taken.add(hook);
            }
        }
        return taken;
    }

    @SuppressWarnings("unchecked")
    static List<Thread> runtimeHooks() {
        try {
            Class<?> all = Class.forName("java.lang.ApplicationShutdownHooks");
            Field field = all.getDeclaredField("hooks");
            field.setAccessible(true);
            synchronized (all) {
                return new ArrayList<>(((Map<Thread, Thread>) field.get(null)).keySet());
            }
        } catch (ReflectiveOperationException wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    static void stop(Run run) {
        for (Runnable hook : hooks(run)) {
            new Thread(() -> {
                current.set(run);
                hook.run();
            }).start();
        }
    }

    public static void main(String[] ignored) throws Exception {
        answers = System.out;
        System.setOut(new PrintStream(splitter(false), true, UTF_8));
        System.setErr(new PrintStream(splitter(true), true, UTF_8));
        InputStream requests = System.in;
        System.setIn(input());
        Exit.setExitProcedure((code, message) -> exit(code));
        Exit.setHaltProcedure((code, message) -> exit(code));
        Exit.setShutdownHookAdder((name, hook) -> {
            Run run = current.get();
            if (run != null) {
                synchronized (run) {
                    run.hooks.add(hook);
                }
            }
        });
        BufferedReader lines = new BufferedReader(new InputStreamReader(requests, UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode request = json.readTree(line);
            int id = request.get("id").asInt();
            Run run = runs.get(id);
            if (request.has("class")) {
                start(id, request);
            } else if (run != null && request.has("stop")) {
                stop(run);
            } else if (run != null) {
                answer(id, run, null);
            }
        }
        Runtime.getRuntime().halt(0);
    }
}
