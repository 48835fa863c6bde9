import ConcurrencySupport
import Foundation
import Observability
import Testing

/// A sink that keeps lines.
final class LogCapture: Sendable {
    private let kept = Lock<[[UInt8]]>([])

    var sink: LogSink { LogSink(write: { line in self.kept.withLock { $0.append(line) } }) }
    var text: String { kept.withLock { $0 }.map { String(decoding: $0, as: UTF8.self) }.joined() }

    func objects() throws -> [[String: Any]] {
        try kept.withLock { $0 }.map { line in
            #expect(line.last == 0x0A && !line.dropLast().contains(0x0A))
            return try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        }
    }
}
