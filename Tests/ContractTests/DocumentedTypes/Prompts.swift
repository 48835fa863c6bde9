import DTO
import HTTPCore

/// Prompts and experiments: agent-center.
extension DocumentedTypes {
    static let prompts: Types = [
        "ArmResult": ArmResult.self,
        "Estimate": Estimate.self,
        "Experiment": Experiment.self,
        "ExperimentArm": ExperimentArm.self,
        "ExperimentChange": ExperimentChange.self,
        "ExperimentGuard": ExperimentGuard.self,
        "ExperimentOutcome": ExperimentOutcome.self,
        "ExperimentPage": Page<Experiment>.self,
        "ExperimentResults": ExperimentResults.self,
        "ExperimentStop": ExperimentStop.self,
        "NewExperiment": NewExperiment.self,
        "NewExperimentArm": NewExperimentArm.self,
        "NewOutcome": NewOutcome.self,
        "OutcomeResult": OutcomeResult.self,
        "PromptAnswerSchema": PromptAnswerSchema.self,
        "PromptBody": PromptBody.self,
        "PromptDetail": PromptDetail.self,
        "PromptDiff": PromptDiff.self,
        "PromptDiffHunk": PromptDiffHunk.self,
        "PromptDiffLine": PromptDiffLine.self,
        "PromptLabel": PromptLabel.self,
        "PromptLabelChange": PromptLabelChange.self,
        "PromptLabelMove": PromptLabelMove.self,
        "PromptLabelMovePage": Page<PromptLabelMove>.self,
        "PromptMessage": PromptMessage.self,
        "PromptPage": Page<PromptSummary>.self,
        "PromptPreview": PromptPreview.self,
        "PromptPreviewRequest": PromptPreviewRequest.self,
        "PromptRollback": PromptRollback.self,
        "PromptSummary": PromptSummary.self,
        "PromptVariableBody": PromptVariableBody.self,
        "PromptVersionDraft": PromptVersionDraft.self,
        "PromptVersionPage": Page<PromptVersionSummary>.self,
        "PromptVersionSummary": PromptVersionSummary.self,
        "PromptVersionView": PromptVersionView.self,
    ]
}
