import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import HTTPServing
import TestSupport
import Testing

@testable import ContentCenter

/// Uploads wait for the scanner's word.
@Suite struct VirusScannerTests {
    @Test func onlyWhatIsCleanIsKept() async throws {
        let scanner = try StubScanner()
        try await ContentCenterHarness.run(environment: ["SCAN_ADDRESS": "127.0.0.1:\(scanner.port)"]) { service in
            func complete(_ bytes: [UInt8], _ words: String) async throws -> (String, HTTPStatus, ProblemBody?) {
                scanner.answer(words)
                let presigned = try await service.presign(AssetPresignRequest(filename: "a.txt", contentType: "text/plain"))
                #expect(try await service.put(bytes, to: presigned).status == .ok)
                let path = "/v1/assets/\(presigned.assetId.lowercase)"
                let answer = try await service.send(.post, "\(path)/complete")
                return (path, answer.status, try answer.status == .ok ? nil : answer.problem())
            }
            let large = [UInt8](repeating: UInt8(ascii: "x"), count: 200_000)
            let clean = try await complete(large, "stream: OK\0")
            #expect(clean.1 == .ok)
            #expect(scanner.seen == large)

            let infected = try await complete(Array("virus".utf8), "stream: Eicar-Test-Signature FOUND\0")
            #expect(infected.1 == .unprocessableContent)
            #expect(infected.2?.errors?.map(\.code) == ["infected"])
            #expect(infected.2?.errors?.first?.message.contains("Eicar-Test-Signature") == true)
            #expect(try await service.send(.get, infected.0).status == .notFound)

            let long = try await complete(Array("long".utf8), "INSTREAM size limit exceeded. ERROR\0")
            #expect(long.2?.errors?.map(\.code) == ["unscannable"])

            // Without the scanner's word the upload waits where nobody reads it.
            let silent = try await complete(Array("later".utf8), "")
            #expect(silent.1 == .serviceUnavailable)
            #expect(silent.2?.retryable == true)
            #expect(try await service.send(.get, "\(silent.0)/download-url").status == .conflict)
            scanner.answer("stream: OK\0")
            #expect(try await service.send(.post, "\(silent.0)/complete").status == .ok)
        }
    }

    @Test func readsAddresses() {
        #expect(VirusScanner.Address("clamd:3310")?.port == "3310")
        #expect(VirusScanner.Address("::1:3310")?.host == "::1")
        for text in ["clamd", ":3310", "clamd:0", "clamd:x"] { #expect(VirusScanner.Address(text) == nil, "\(text)") }
    }
}

/// A scanner that says what it is told to.
final class StubScanner: Sendable {
    let port: Int
    private let listening: Int32
    private let state = Lock((words: "", seen: [UInt8]()))

    var seen: [UInt8] { state.withLock { $0.seen } }

    init() throws {
        listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listening
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, size) == 0 && listen(descriptor, 8) == 0 && getsockname(descriptor, pointer, &size) == 0
            }
        }
        try #require(status)
        port = Int(UInt16(bigEndian: address.sin_port))
        OwnThread.start(name: "scanner") { [self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                serve(connection)
                close(connection)
            }
        }
    }

    /// Nothing = it hangs up.
    func answer(_ words: String) { state.withLock { $0 = (words, []) } }

    private func serve(_ connection: Int32) {
        func read(_ count: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            while bytes.count < count {
                var buffer = [UInt8](repeating: 0, count: count - bytes.count)
                let received = recv(connection, &buffer, buffer.count, 0)
                guard received > 0 else { return [] }
                bytes += buffer[..<received]
            }
            return bytes
        }
        guard read(10) == Array("zINSTREAM\0".utf8) else { return }
        while true {
            let head = read(4)
            guard head.count == 4 else { return }
            let length = head.reduce(0) { $0 << 8 | Int($1) }
            if length == 0 { break }
            let piece = read(length)
            state.withLock { $0.seen += piece }
        }
        let words = Array(state.withLock { $0.words }.utf8)
        _ = words.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
}
