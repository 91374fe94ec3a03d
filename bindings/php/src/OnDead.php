<?php

declare(strict_types=1);

namespace BlockQueue;

/** What becomes of an ordering key when one of its messages is dead-lettered. */
enum OnDead: string
{
    /** The next message of the key is delivered. */
    case Skip = 'skip';
    /** The key waits until the dead letter is redriven or purged. */
    case Block = 'block';
}
