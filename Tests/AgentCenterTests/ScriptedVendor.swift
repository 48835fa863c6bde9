import ConcurrencySupport
import Foundation
import Glibc

import struct Synchronization.Atomic

/// A model vendor that writes prepared bytes to the socket, connection by connection: faults as they look on the wire.
final class ScriptedVendor: Sendable {
    enum Reply: Sendable {
        /// The bytes, then the connection is closed.
        case bytes(String)
        /// The pieces with pauses between them, then the connection is closed.
        case pieces([String], pause: Duration)
        /// The same for bytes that are cut anywhere.
        case chunks([[UInt8]], pause: Duration)
        /// The bytes, then nothing more: the connection stays open until the client closes it.
        case stall(after: String)
        /// The connection is reset without an answer.
        case reset
        /// What it says depends on the question; then the connection is closed.
        case answers(@Sendable (Received) -> String)
    }

    struct Received: Sendable {
        let head: String
        let body: String
    }

    let port: Int
    /// Whether any of its answers stalls.
    let fallsSilent: Bool
    private let listener: Int32
    private let replies: Lock<[Reply]>
    private let log = Lock<[Received]>([])
    private let clientsGone = Atomic(0)

    /// - Parameter replies: one per connection; the last one for ever.
    init(_ replies: [Reply]) throws {
        self.replies = Lock(replies)
        fallsSilent = replies.contains { if case .stall = $0 { true } else { false } }
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listens = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard listens else { throw POSIXError(.EADDRINUSE) }
        port = Int(UInt16(bigEndian: address.sin_port))
        let (descriptor, box) = (listener, Weak(self))
        OwnThread.start(name: "vendor") {
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                guard let vendor = box.value else {
                    close(connection)
                    return
                }
                OwnThread.start(name: "vendor-conn") { vendor.serve(connection) }
            }
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)); close(listener) }

    var url: String { "http://127.0.0.1:\(port)" }
    var received: [Received] { log.withLock { $0 } }
    /// How many clients closed a stalled connection by themselves.
    var abandoned: Int { clientsGone.load(ordering: .relaxed) }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        guard let request = read(connection) else { return }
        log.withLock { $0.append(request) }
        switch replies.withLock({ $0.count > 1 ? $0.removeFirst() : $0[0] }) {
        case .bytes(let text): write(text, connection)
        case .answers(let answer): write(answer(request), connection)
        case .pieces(let pieces, let pause):
            for piece in pieces {
                write(piece, connection)
                usleep(UInt32(pause.milliseconds * 1_000))
            }
        case .chunks(let pieces, let pause):
            for piece in pieces {
                write(piece, connection)
                if pause > .zero { usleep(UInt32(pause.milliseconds * 1_000)) }
            }
        case .stall(let text):
            write(text, connection)
            var byte: UInt8 = 0
            if recv(connection, &byte, 1, 0) <= 0 { clientsGone.add(1, ordering: .relaxed) }
        case .reset:
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        }
    }

    private func write(_ text: String, _ connection: Int32) { write(Array(text.utf8), connection) }

    private func write(_ bytes: [UInt8], _ connection: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private func read(_ connection: Int32) -> Received? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            bytes += chunk[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let head = String(text[..<end.lowerBound])
            let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                .flatMap { Int($0.drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces)) }
            let body = bytes[(bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound ?? 0)...]
            if body.count >= (length ?? 0) { return Received(head: head, body: String(decoding: body, as: UTF8.self)) }
        }
    }
}

private final class Weak: Sendable {
    private let storage: Lock<WeakBox>

    struct WeakBox: Sendable { weak var value: ScriptedVendor? }

    init(_ value: ScriptedVendor) { storage = Lock(WeakBox(value: value)) }

    var value: ScriptedVendor? { storage.withLock { $0.value } }
}

// MARK: What vendors say

extension ScriptedVendor.Reply {
    static func http(_ status: Int, _ body: String, headers: [String] = [], type: String = "application/json")
        -> ScriptedVendor.Reply
    {
        .bytes(httpText(status, body, headers: headers, type: type))
    }

    static func httpText(_ status: Int, _ body: String, headers: [String] = [], type: String = "application/json") -> String {
        (["HTTP/1.1 \(status) X", "Content-Type: \(type)", "Content-Length: \(body.utf8.count)", "Connection: close"] + headers)
            .joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// A whole answer whose content is the given text.
    static func says(
        _ content: String, model: String = "gpt-4o-mini-2024-07-18", finish: String = "stop", prefix: String = "",
        usage: String = defaultUsage
    ) -> ScriptedVendor.Reply {
        .http(200, prefix + completion(content, model: model, finish: finish, usage: usage))
    }

    static func completion(_ content: String, model: String, finish: String, usage: String = defaultUsage) -> String {
        #"{"id":"x","object":"chat.completion","model":"\#(model)","choices":[{"index":0,"message":{"role":"assistant","content":\#(quoted(content))},"finish_reason":"\#(finish)"}],"usage":\#(usage)}"#
    }

    static let defaultUsage =
        #"{"prompt_tokens":100,"completion_tokens":40,"total_tokens":140,"prompt_tokens_details":{"cached_tokens":60}}"#

    /// A streamed answer: the head, then one event per piece, a finish chunk, a usage chunk, the sentinel.
    static func streamText(_ content: String, model: String = "gpt-4o-mini-2024-07-18", finish: String? = "stop", pieces: Int = 5)
        -> [String]
    {
        let characters = Array(content)
        let size = max(1, (characters.count + pieces - 1) / pieces)
        func chunk(_ delta: String, _ finish: String = "null") -> String {
            #"data: {"id":"x","object":"chat.completion.chunk","model":"\#(model)","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}],"usage":null}"#
                + "\n\n"
        }
        var events = [streamHead, ": keep-alive\n\n", chunk(#"{"role":"assistant","content":""}"#)]
        for start in stride(from: 0, to: characters.count, by: size) {
            let piece = String(characters[start..<min(start + size, characters.count)])
            events.append(chunk(#"{"content":\#(quoted(piece))}"#))
        }
        guard let finish else { return events }
        events.append(chunk("{}", "\"\(finish)\""))
        events.append(#"data: {"id":"x","model":"\#(model)","choices":[],"usage":\#(defaultUsage)}"# + "\n\ndata: [DONE]\n\n")
        return events
    }

    static let streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// Titles as a model would give them.
enum ModelTitles {
    static let texts = [
        "夏季防晒霜怎么选？3个细节别忽略", "通勤路上的防晒，很多人都做错了", "同样涂防晒，为什么她没晒黑", "油皮夏天防晒，清爽不闷的思路", "出门前2分钟，防晒这样涂更服帖",
        "学生党防晒清单，少走弯路",
    ]

    static func json(_ count: Int = 5) -> String {
        #"{"titles":["# + texts.prefix(count).map { #"{"title":"\#($0)","formula":"question"}"# }.joined(separator: ",") + "]}"
    }
}
