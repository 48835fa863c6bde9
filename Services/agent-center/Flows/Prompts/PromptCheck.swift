import HTTPCore

/// Whether a prompt makes sense: the rules for shipped prompts and for what tenants save. Pointers name the members of
/// `PromptVersionDraft`.
enum PromptCheck {
    static func issues(in definition: PromptDefinition) -> [FieldIssue] {
        []
    }
}
