import ConfigReading
import FoundationEssentials
import Glibc
import HTTPCore
import Lifecycle
import Messaging
import Observability
import PostgresStore

/// The command line of a service:
///
///     content-center [run]                       serve until SIGTERM
///     content-center migrate                     bring the database's schema up to date, as its owner (OWNER_DATABASE_URL)
///     content-center parking list <queue>        show what could not be handled, a line of JSON each
///     content-center parking replay <queue>      hand it out again
///     content-center help
///
/// Exit codes: 0 done, 1 failed, 64 wrong usage, 78 wrong configuration, 130/143 second signal.
public enum ServiceCommand {
    /// Never returns. The whole `Main.swift` is `await ServiceCommand.main(Application.self)`.
    public static func main<App: ServiceApplication>(_ application: App.Type) async -> Never {
        signal(SIGPIPE, SIG_IGN)
        let code = await run(
            application, arguments: Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
        LogSink.standardOutput.flush()
        fflush(nil)
        // Not `exit`: OpenSSL's clean-up at exit would pull its tables from under threads that are just ending.
        _exit(code)
    }

    /// - Returns: the exit code.
    static func run<App: ServiceApplication>(
        _ application: App.Type, arguments: [String], environment: [String: String]
    ) async -> Int32 {
        let reader = EnvironmentReader(environment)
        let logger = Logger(service: App.name.rawValue)
        do {
            switch arguments.first ?? "run" {
            case "run" where arguments.count <= 1: try await serve(application, reader)
            case "migrate" where arguments.count == 1: try await migrate(application, reader, logger)
            case "parking": try await parking(Array(arguments.dropFirst()), reader, logger)
            case "help", "--help", "-h": write(usage(application), to: STDOUT_FILENO)
            case let word:
                guard let command = App.commands.first(where: { $0.name == word }) else { throw WrongUsage() }
                try await runExtra(application, command, Array(arguments.dropFirst()), reader)
            }
            return 0
        } catch is WrongUsage {
            write(usage(application), to: STDERR_FILENO)
            return 64
        } catch let error as ConfigurationError {
            write("\(App.name.rawValue): \(error)\n", to: STDERR_FILENO)
            return 78
        } catch {
            logger.error("failed", ["error": "\(error)"])
            return 1
        }
    }

    private struct WrongUsage: Error {}

    private static func serve<App: ServiceApplication>(_ application: App.Type, _ reader: EnvironmentReader) async throws {
        let (settings, runtime) = try readSettings(application, reader)
        try await AssembledService.build(application, settings: settings, runtime: runtime).run()
    }

    private static func migrate<App: ServiceApplication>(
        _ application: App.Type, _ reader: EnvironmentReader, _ logger: Logger
    ) async throws {
        var reader = reader
        let owner = reader.secret("OWNER_DATABASE_URL")
        try reader.finish()
        try await Migrator(
            migrations: App.migrations, owner: .init(url: owner, applicationName: "\(App.name.rawValue).migrate"), logger: logger
        ).apply()
        logger.info("migrated", ["migrations": App.migrations.count])
    }

    private static func parking(
        _ arguments: [String], _ reader: EnvironmentReader, _ logger: Logger
    ) async throws {
        guard arguments.count == 2 else { throw WrongUsage() }
        var reader = reader
        let broker = CommonSettings.broker(from: &reader)
        try reader.finish()
        let parkingLot = ParkingLot(broker: Broker(broker, name: "parking", logger: logger))
        switch arguments[0] {
        case "list":
            for message in try await parkingLot.list(queue: arguments[1]) {
                write(String(decoding: try JSON.encode(message), as: UTF8.self) + "\n", to: STDOUT_FILENO)
            }
        case "replay":
            let count = try await parkingLot.replay(queue: arguments[1])
            write("replayed \(count)\n", to: STDOUT_FILENO)
        default: throw WrongUsage()
        }
    }

    private static func runExtra<App: ServiceApplication>(
        _ application: App.Type, _ command: ExtraCommand<App.Settings>, _ arguments: [String], _ reader: EnvironmentReader
    ) async throws {
        let (settings, runtime) = try readSettings(application, reader)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in [runtime.database, runtime.system] { group.addTask { try await service.run() } }
            defer { group.cancelAll() }
            try await command.run(settings, runtime, arguments)
        }
    }

    private static func readSettings<App: ServiceApplication>(
        _ application: App.Type, _ reader: EnvironmentReader
    ) throws -> (App.Settings, ServiceRuntime) {
        var reader = reader
        let settings = App.Settings(from: &reader)
        try reader.finish()
        return (settings, ServiceRuntime(name: App.name, settings: settings.common, topology: App.topology))
    }

    private static func usage<App: ServiceApplication>(_ application: App.Type) -> String {
        let name = App.name.rawValue
        let lines =
            [
                ("[run]", "serve until SIGTERM"),
                ("migrate", "bring the database's schema up to date, as its owner (OWNER_DATABASE_URL)"),
                ("parking list <queue>", "show the messages that could not be handled"),
                ("parking replay <queue>", "hand them out again"),
            ] + App.commands.map { ($0.name, $0.summary) } + [("help", "this text")]
        let width = (lines.map(\.0.count).max() ?? 0) + 3
        return lines.map { words, summary in
            "  \(name) \(words)\(String(repeating: " ", count: width - words.count))\(summary)\n"
        }.reduce("usage:\n", +)
    }

    /// Blocks until everything is written: these are words for the person who typed the command.
    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
