import DTO

extension VersionSource {
    /// Who wrote, as agent-center's answers say it.
    static func writer(_ provider: String, model: String, promptVersion: String) -> VersionSource {
        VersionSource(
            kind: provider == TitleWritingAnswer.templateProvider ? .template : .model, name: model, promptVersion: promptVersion)
    }
}
