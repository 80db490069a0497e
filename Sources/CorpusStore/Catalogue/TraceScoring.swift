/// Turns traces into the catalogue's score columns. The corpus keeps traces and knows no estimator; who opens it brings
/// them.
package protocol TraceScoring: Sendable {
    /// Names the estimators and their settings. A catalogue that others have filled is derived again.
    var identity: String { get }

    /// - Returns: values for the columns `mi`, `mi_se` and `mi_reference`; NaN where a trace has no usable step.
    func scores(
        timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
    ) -> (mi: Double, standardError: Double, reference: Double)

    /// - Returns: values for the columns `rf` and `rf_cfg` and the standard error of the first; NaN where a trace has no
    ///   usable step.
    func scores(
        flow: FlowTrace, deltaSquared: [Float], guidance: Double
    ) -> (rf: Double, standardError: Double, guided: Double)

    /// - Returns: values for the columns `contrast`, `contrast_se`, `contrast_hard` and `pointwise`.
    func scores(
        curves: ErrorCurves, timesteps: [Int32], draws: Int, schedule: ScheduleDescription
    ) -> CurveScores
}

extension TraceScoring {
    package func scores(
        flow: FlowTrace, deltaSquared: [Float], guidance: Double
    ) -> (rf: Double, standardError: Double, guided: Double) { (.nan, .nan, .nan) }

    package func scores(
        curves: ErrorCurves, timesteps: [Int32], draws: Int, schedule: ScheduleDescription
    ) -> CurveScores { CurveScores() }
}
