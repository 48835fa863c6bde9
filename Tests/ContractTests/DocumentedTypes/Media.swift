import DTO
import HTTPCore

/// Work on videos, pictures and sound.
extension DocumentedTypes {
    static let media: Types = [
        "ContentMedia": ContentMedia.self, "DouyinVideoFinding": DouyinVideoFinding.self,
        "DouyinVideoReport": DouyinVideoReport.self, "MediaJob": MediaJob.self,
        "MediaJobAccepted": MediaJobAccepted.self, "MediaJobError": MediaJobError.self, "MediaJobMoved": MediaJobMoved.self,
        "MediaJobPage": Page<MediaJob>.self, "MediaJobParams": MediaJobParams.self, "MediaJobRequest": MediaJobRequest.self,
        "MediaOutput": MediaOutput.self, "MediaOutputReference": MediaOutputReference.self, "MediaProbe": MediaProbe.self,
    ]
}
