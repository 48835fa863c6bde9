import Foundation
import ServiceDefaults
import Testing

@Suite struct CallMapTests {
    /// Network policies are tested against the same file.
    @Test func isWhatTheDeploymentSays() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let document = try Data(contentsOf: root.appendingPathComponent("deploy/call-map.json"))
        let object = try #require(try JSONSerialization.jsonObject(with: document) as? [String: Any])
        let arrows = try #require(object["services"] as? [String: [String]])
        let ours = Dictionary(uniqueKeysWithValues: CallMap.allowed.map { ($0.key.rawValue, $0.value.map(\.rawValue)) })
        #expect(ours == arrows)
    }

    @Test func coversEveryService() {
        #expect(Set(CallMap.allowed.keys) == Set(ServiceName.allCases))
        #expect(CallMap.callers(of: .agentCenter) == [.gatewayBFF, .orchestrationService])
        #expect(!CallMap.allows(.contentCenter, toCall: .gatewayBFF))
        #expect(Set(ServiceName.allCases.map(\.defaultPort)).count == 5)
    }
}
