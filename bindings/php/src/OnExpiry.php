<?php

declare(strict_types=1);

namespace BlockQueue;

/** What becomes of a message that expires before it is claimed. */
enum OnExpiry: string
{
    /** It is skipped, and counted. */
    case Skip = 'skip';
    case DeadLetter = 'dead_letter';
}
