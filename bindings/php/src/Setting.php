<?php

declare(strict_types=1);

namespace BlockQueue;

/** Takes a setting back: `new SubscriberOptions(leasedMax: Setting::None)`. */
enum Setting: string
{
    case None = 'none';
}
