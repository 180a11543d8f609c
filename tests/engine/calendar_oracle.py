"""Boundaries of billing cycles, reckoned a second time with Python's datetime, for calendar_test.cpp to compare with.

Usage: calendar_oracle.py SEED LINES. Each line is a cycle: anchor (Unix seconds), interval, count, the ordinal of the
       first boundary, and the boundaries from there on, one after the other.

       calendar_oracle.py --lives SEED LIVES. Whole lives of subscriptions; times are Unix seconds:
         L start interval count trial_end until    begun at `start`, with a trial until then (0: none)
         A time anchor 0                           the cycle is anchored anew at that time
         A time trial end                          from then on it is a trial until `end` (`time` itself: it is over)
         P ordinal start end                       a period that must have been billed, in order
         .                                         at `until` the life is looked at
"""
import calendar
import random
import sys
from datetime import date, datetime, timedelta, timezone

COUNT_MAX = {"day": 1095, "week": 156, "month": 36, "year": 3}
IN_A_ROW = 100
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
EPOCH_DAY = EPOCH.toordinal()
LAST_DAY = {(year, month): calendar.monthrange(year, month)[1] for year in range(1600, 2900) for month in range(1, 13)}


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
    day = min(anchor.day, LAST_DAY[year, month])
    return anchor.replace(year=year, month=month, day=day)


def boundaries(anchor, interval, count, first, number):
    """As many boundaries in a row, in Unix seconds: the same once more, without objects that are slow."""
    if interval in ("day", "week"):
        step = count * (7 if interval == "week" else 1)
        days = [anchor.toordinal() + step * ordinal for ordinal in range(first, first + number)]
    else:
        step = count * (12 if interval == "year" else 1)
        month_of_anchor = anchor.year * 12 + anchor.month - 1
        months = [divmod(month_of_anchor + step * ordinal, 12) for ordinal in range(first, first + number)]
        days = [date(year, month + 1, min(anchor.day, LAST_DAY[year, month + 1])).toordinal() for year, month in months]
    second_of_day = (anchor.hour * 60 + anchor.minute) * 60 + anchor.second
    return [(day - EPOCH_DAY) * 86400 + second_of_day for day in days]


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


class Life:
    """A subscription's periods, one after the other, as whoever reads the rules would note them on paper."""

    def __init__(self, start, interval, count, trial_end):
        self.interval, self.count = interval, count
        self.periods = []
        self.anchor, self.since_anchor = start, 0
        if trial_end:
            self.begin_trial(start, trial_end)
        else:
            self.anchor_at(start)

    def note(self, start, end):
        self.periods.append((len(self.periods), start, end))
        self.end = end

    def anchor_at(self, time):
        """A cycle begins, and with it its first period."""
        self.is_trial = False
        self.anchor, self.since_anchor = time, 0
        self.note(time, boundary(time, self.interval, self.count, 1))

    def begin_trial(self, time, end):
        self.is_trial = True
        self.note(time, end)

    def pass_to(self, time):
        while self.end <= time:
            if self.is_trial:
                self.anchor_at(self.end)
                continue
            self.since_anchor += 1
            self.note(self.end, boundary(self.anchor, self.interval, self.count, self.since_anchor + 1))


def write_life(draw, write):
    start = draw_anchor(draw)
    interval = draw.choice(("day", "week", "month", "month", "month", "year"))
    count = draw.choice((1, 1, draw.randint(1, COUNT_MAX[interval])))
    length = boundary(start, interval, count, 1) - start
    trial_end = start + timedelta(seconds=draw.randint(1, 400 * 86400)) if draw.random() < 0.3 else None
    until = start + length * draw.randint(1, 40)
    until = min(until, datetime(2195, 1, 1, tzinfo=timezone.utc))
    life = Life(start, interval, count, trial_end)
    write(f"L {unix(start)} {interval} {count} {unix(trial_end) if trial_end else 0} {unix(until)}\n")
    time = start
    for _ in range(draw.choice((0, 0, 1, 2, 5))):
        time += timedelta(seconds=draw.randrange(max(1, int(length.total_seconds() * 3))))
        if draw.random() < 0.3:
            time = max(time, life.end)  # on the boundary itself
        if time >= until:
            break
        life.pass_to(time)
        if life.is_trial and draw.random() < 0.5:
            write(f"A {unix(time)} trial {unix(time)}\n")
            life.anchor_at(time)
        elif life.is_trial or draw.random() < 0.4:
            end = time + timedelta(seconds=draw.randint(1, 90 * 86400))
            write(f"A {unix(time)} trial {unix(end)}\n")
            life.begin_trial(time, end)
        else:
            write(f"A {unix(time)} anchor 0\n")
            life.anchor_at(time)
    life.pass_to(until)
    for ordinal, begins, ends in life.periods:
        write(f"P {ordinal} {unix(begins)} {unix(ends)}\n")
    write(".\n")


def main():
    if sys.argv[1] == "--lives":
        draw = random.Random(int(sys.argv[2]))
        for _ in range(int(sys.argv[3])):
            write_life(draw, sys.stdout.write)
        return
    draw = random.Random(int(sys.argv[1]))
    write = sys.stdout.write
    for _ in range(int(sys.argv[2])):
        anchor = draw_anchor(draw)
        interval = draw.choice(("day", "week", "month", "month", "year"))
        count = draw.choice((1, 1, draw.randint(1, COUNT_MAX[interval])))
        first = draw.randint(-100, 100)
        row = boundaries(anchor, interval, count, first, IN_A_ROW)
        assert row[0] == unix(boundary(anchor, interval, count, first))
        write(f"{unix(anchor)} {interval} {count} {first} {' '.join(map(str, row))}\n")


if __name__ == "__main__":
    main()
