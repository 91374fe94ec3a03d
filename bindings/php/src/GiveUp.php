<?php

declare(strict_types=1);

namespace BlockQueue;

/** Thrown by a handler: trying again is no use. The delivery becomes a dead letter at once. */
final class GiveUp extends \RuntimeException
{
}
