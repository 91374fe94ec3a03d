<?php

declare(strict_types=1);

namespace BlockQueue;

/** What became of an occurrence. */
enum RunStatus: string
{
    /** Its message was published. */
    case Fired = 'fired';
    /** Somebody asked for a message; it is no occurrence. */
    case Manual = 'manual';
    /** It waits until the message before is settled. */
    case Queued = 'queued';
    /** It was missed and is left out. */
    case SkippedMisfire = 'skipped_misfire';
    /** The message before was not settled: it is left out. */
    case SkippedOverlap = 'skipped_overlap';
    /** The topic refused its message; the error says why. */
    case Refused = 'refused';
    /** Its time could not be told, and the schedule has stopped; the error says why. */
    case Stopped = 'stopped';
}
