package io.blockqueue

import io.blockqueue.internal.Durability as NativeDurability
import io.blockqueue.internal.OpenOptions as NativeOpenOptions

/** How safe an answered write is. */
public enum class Durability {
    /** On disk before the answer. The default. */
    FULL,

    /** Survives a crash of the process; a power cut may take the newest commits. */
    BALANCED,
}

/**
 * How to open a queue.
 *
 * @property durability How safe an answered write is.
 * @property payloadBytesMax Largest payload of one message, in bytes. Default 1 MiB, at most 64 MiB.
 * @property mustExist Refuse to create a file that does not exist.
 */
public data class OpenOptions @JvmOverloads constructor(
    val durability: Durability = Durability.FULL,
    val payloadBytesMax: Long? = null,
    val mustExist: Boolean = false,
) {
    internal fun toNative() =
        NativeOpenOptions(NativeDurability.valueOf(durability.name), payloadBytesMax, mustExist)
}

/**
 * One subscriber of one topic.
 *
 * @property topic The topic's name.
 * @property subscriber The subscriber's name.
 */
public data class Source(val topic: String, val subscriber: String)

/**
 * How far a backup is.
 *
 * @property bytesDone Bytes of the copy that are written.
 * @property bytesTotal Bytes that the copy will have, at most.
 */
public data class BackupProgress(val bytesDone: Long, val bytesTotal: Long)
