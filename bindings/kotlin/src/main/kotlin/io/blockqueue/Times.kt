package io.blockqueue

import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** Whole milliseconds away from zero, so that a shorter time never becomes none. */
internal fun Duration.toMs(): Long {
    val whole = inWholeMilliseconds
    return when {
        whole.milliseconds == this || isInfinite() -> whole
        isNegative() -> whole - 1
        else -> whole + 1
    }
}

/** What does not fit is out of range anyway. */
internal fun Instant.toMs(): Long = try {
    toEpochMilli()
} catch (_: ArithmeticException) {
    if (isBefore(Instant.EPOCH)) Long.MIN_VALUE else Long.MAX_VALUE
}

internal fun at(ms: Long): Instant = Instant.ofEpochMilli(ms)

internal fun maybeAt(ms: Long?): Instant? = ms?.let(::at)
