"""Boundaries of billing cycles, reckoned a second time with Python's datetime, for calendar_test.cpp to compare with.

Usage: calendar_oracle.py SEED LINES. Each line: anchor (Unix seconds), interval, count, ordinal, boundary.
"""
import calendar
import random
import sys
from datetime import datetime, timedelta, timezone

COUNT_MAX = {"day": 1095, "week": 156, "month": 36, "year": 3}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def boundary(anchor, interval, count, ordinal):
    if interval == "day":
        return anchor + timedelta(days=count * ordinal)
    if interval == "week":
        return anchor + timedelta(weeks=count * ordinal)
    if interval == "year":
        year, month = anchor.year + count * ordinal, anchor.month
    else:
        years, month_index = divmod(anchor.month - 1 + count * ordinal, 12)
        year, month = anchor.year + years, month_index + 1
    day = min(anchor.day, calendar.monthrange(year, month)[1])
    return anchor.replace(year=year, month=month, day=day)


def unix(time):
    difference = time - EPOCH
    return difference.days * 86400 + difference.seconds


def draw_anchor(draw):
    """Any second of 1970 to 2150; every second time a month's last days, where the mistakes are."""
    anchor = EPOCH + timedelta(seconds=draw.randrange(180 * 365 * 86400))
    if draw.random() < 0.5:
        last = calendar.monthrange(anchor.year, anchor.month)[1]
        anchor = anchor.replace(day=draw.randrange(28, last + 1))
    if draw.random() < 0.1:
        leap_year = draw.choice([year for year in range(1972, 2150) if calendar.isleap(year)])
        anchor = anchor.replace(year=leap_year, month=2, day=29)
    return anchor


def main():
    draw = random.Random(int(sys.argv[1]))
    write = sys.stdout.write
    for _ in range(int(sys.argv[2])):
        anchor = draw_anchor(draw)
        interval = draw.choice(("day", "week", "month", "month", "year"))
        count = draw.choice((1, 1, draw.randint(1, COUNT_MAX[interval])))
        reach = 120 if interval == "year" else 250
        ordinal = draw.randint(-reach // 2, reach)
        write(f"{unix(anchor)} {interval} {count} {ordinal} {unix(boundary(anchor, interval, count, ordinal))}\n")


if __name__ == "__main__":
    main()
