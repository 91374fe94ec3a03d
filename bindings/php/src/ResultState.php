<?php

declare(strict_types=1);

namespace BlockQueue;

/** What came of a message for one subscriber. */
enum ResultState: string
{
    /** It was acked with a reply. */
    case Replied = 'replied';
    /** It was settled without one, or the reply is not kept any more. */
    case Settled = 'settled';
    /** It is out of attempts. */
    case DeadLettered = 'dead_lettered';
    /** Nothing yet. */
    case Unsettled = 'unsettled';
}
