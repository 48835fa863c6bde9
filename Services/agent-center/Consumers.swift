import Lifecycle
import Messaging
import ServiceDefaults

/// What this service hears: queue → flow.
enum Consumers {
    /// A tenant may have much; what is not done by then is gone on with later.
    private static let patience = Duration.seconds(300)

    static func all(_ runtime: ServiceRuntime) -> [any Service] {
        let bannedWords = BannedWordsConsumer(store: BannedWordsStore(database: runtime.database))
        let tenantErasure = TenantErasureConsumer(store: TenantErasureStore(database: runtime.database))
        return [
            Consumer(broker: runtime.broker, queue: .bannedWords, flow: "Vocabulary", tracer: runtime.tracer) {
                try await bannedWords.change($0.event)
            },
            Consumer(
                broker: runtime.broker, queue: .agentTenantErasures, flow: "TenantErasure", handlerTimeout: patience,
                tracer: runtime.tracer
            ) {
                try await tenantErasure.hear($0.event)
            },
        ]
    }
}
