import Glibc

/// Settings: `HOST` (127.0.0.1), `PORT` (8090). Ends at once on SIGTERM and SIGINT.
@main
enum Main {
    static func main() {
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        // Blocked here, before the first thread, so that only the wait below gets them.
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let host = setting("HOST") ?? "127.0.0.1"
        guard let port = Int(setting("PORT") ?? "8090"), (0...65_535).contains(port) else {
            return fail("PORT is not a port number")
        }
        do {
            let server = try SandboxServer(host: host, port: port)
            server.start()
            say("sandbox: listening on http://\(host):\(server.port)\n", to: 1)
        } catch let error as SandboxServer.CannotListen {
            return fail("cannot listen on \(host):\(port): \(String(cString: strerror(error.errorNumber)))")
        } catch {
            return fail("\(error)")
        }
        var received: Int32 = 0
        sigwait(&signals, &received)
        exit(0)
    }

    private static func setting(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private static func say(_ text: String, to descriptor: Int32) { _ = write(descriptor, text, text.utf8.count) }

    private static func fail(_ message: String) {
        say("sandbox: \(message)\n", to: 2)
        exit(1)
    }
}
