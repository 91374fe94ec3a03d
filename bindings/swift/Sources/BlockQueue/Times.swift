// Durations and instants: milliseconds in the native library.

import Foundation

extension Duration {
    /// Whole milliseconds away from zero, so that a shorter time never becomes none. What does not fit is out of
    /// range anyway.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let perMillisecond: Int64 = 1_000_000_000_000_000
        let rest = attoseconds / perMillisecond + (attoseconds % perMillisecond).signum()
        let (whole, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000)
        let (sum, overflow) = whole.addingReportingOverflow(rest)
        return tooLarge || overflow ? (seconds < 0 ? .min : .max) : sum
    }
}

extension Date {
    init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1_000)
    }

    /// Milliseconds since 1970.
    var milliseconds: Int64 {
        let value = (timeIntervalSince1970 * 1_000).rounded()
        return Int64(exactly: value) ?? (value < 0 ? .min : .max)
    }
}
