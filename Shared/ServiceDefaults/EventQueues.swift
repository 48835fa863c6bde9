import DTO
public import Messaging

/// The durable queues between the services. They stand here and not with their consumers, because an emitter declares them too before it
/// publishes (``ServiceApplication/topology``): an event that is emitted before its consumer has ever started waits there for it.
extension QueueDeclaration {
    /// content-center → orchestration-service: the trace of what happened to contents.
    public static let contentActivity = QueueDeclaration("orchestration.content-activity", bindings: [ContentDraftCreated.type])
    /// orchestration-service, delivery-connector-douyin → content-center: where contents stand on accounts.
    public static let publishStatus = QueueDeclaration("content-center.publish-status", bindings: [PublishStatusChanged.type])
    /// delivery-connector-douyin → content-center: who the bound accounts are.
    public static let accountMaterial = QueueDeclaration(
        "content-center.account-material",
        bindings: [AccountProfileTold.boundType, AccountProfileTold.changedType, AccountUnbound.type])
    /// delivery-connector-douyin → content-center: how published contents do.
    public static let contentPerformance = QueueDeclaration(
        "content-center.content-performance", bindings: [ContentPerformanceMeasured.type])
    /// content-center → orchestration-service: what is to be taken in by meaning.
    public static let semanticChanges = QueueDeclaration(
        "orchestration.semantic-changes",
        bindings: [ContentDraftCreated.type, ContentVersionCreated.type, ContentBinned.restoredType])
    /// content-center → orchestration-service: for whom nothing begins any more, and who was erased there is erased here too.
    public static let tenantErasures = QueueDeclaration("orchestration.tenant-erasures", bindings: erasureTypes)
    /// content-center → agent-center: the same.
    public static let agentTenantErasures = QueueDeclaration("agent-center.tenant-erasures", bindings: erasureTypes)
    private static let erasureTypes = [TenantErasureOrdered.type, TenantContentErased.type]
    /// orchestration-service → agent-center: the words that tenants forbid in all their texts.
    public static let bannedWords = QueueDeclaration("agent-center.banned-words", bindings: [BannedWordsChanged.type])
}
