<?php

declare(strict_types=1);

namespace BlockQueue\Symfony;

use BlockQueue\Delivery;
use Symfony\Component\Messenger\Stamp\NonSendableStampInterface;

/** The delivery that an envelope came from. */
final class DeliveryStamp implements NonSendableStampInterface
{
    public function __construct(public readonly Delivery $delivery)
    {
    }
}
