"""The rules over the whole timeline, asked of the ledger: implements `registry.balances`.

Asked inside the write transaction, with its own events folded as the end of the tail, and only for
the areas and categories that it takes from. There is no second table of balances to keep true.
"""

from __future__ import annotations

from contextlib import closing, suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import duckdb

from projections.closings import changes_of_closed, stated_on
from projections.following import FOLLOWED_EVENTS, Following
from projections.ledger import (
    TAIL_MEMORY_LIMIT_LAST,
    Ledger,
    is_of_a_damaged_image,
    is_of_a_full_disk,
    is_worth_publishing,
    lay_out_ahead,
    publish_next,
)
from registry.balances import FINDINGS_MAX, Blame, Finding, Follower, StatedPeriod, Survivors
from registry.errors import RegistryError
from registry.language import _, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from projections.ledger import ImageFolder
    from registry.storage.log import Log

Answer = TypeVar("Answer")

LISTED: Final = 10

# `own`: the movements of this transaction. `pair`: the areas × categories that it takes from or takes
# something back in; all others only gained, and gaining breaks no balance. (Taking a leave back
# gains too, but the heads that come back may be renewed ones.) `standing`: the batches that one of
# this transaction may be alike to, each with a number that its heads add up to: whatever the order
# of its lines, and without what was taken back. It is for a warning, no rule.
_PREPARE: Final = """
CREATE TEMP VIEW own AS SELECT * FROM entries WHERE position > $since;
CREATE TEMP TABLE pair AS
    SELECT DISTINCT area, category FROM own
    WHERE kind <> 'lapse' AND (workers < 0 OR kind = 'renewal' OR act = 'takes-back');
CREATE TEMP TABLE standing AS
    SELECT area, kind, effective_on, reference, part,
           sum(workers::HUGEINT * hash(category, segment, expires_on)) AS heads,
           bool_or(position > $since AND act = 'original') AS is_fresh
    FROM entries SEMI JOIN (
        SELECT area, kind, effective_on FROM own WHERE kind <> 'lapse' AND act = 'original'
    ) USING (area, kind, effective_on)
    GROUP BY ALL HAVING heads <> 0;
"""

_PREPARE_TAKING: Final = """
CREATE TEMP TABLE relevant AS
    SELECT entries.* FROM entries SEMI JOIN pair USING (area, category);
CREATE TEMP TABLE renewing AS
    SELECT area, category, segment, cohort_reference, cohort_part, funding, expires_on,
           of_reference, of_part, of_funding, effective_on AS starts_on, sum(workers) AS workers
    FROM relevant WHERE kind = 'renewal' GROUP BY ALL HAVING sum(workers) <> 0;
"""

# Most transactions only bring heads in: what cannot have been broken is not asked.
_ASKED: Final = """
SELECT EXISTS (FROM pair),
       EXISTS (FROM own WHERE cohort_reference IS NULL AND workers < 0),
       EXISTS (FROM entries SEMI JOIN own USING (area) WHERE kind = 'opening'),
       (SELECT min(reference) <> max(reference) FROM standing)
"""

_COHORTS: Final = """
WITH daily AS (
    SELECT area, category, segment, funding, cohort_reference, cohort_part, expires_on,
           effective_on, sum(workers) AS workers
    FROM relevant WHERE cohort_reference IS NOT NULL GROUP BY ALL
), running AS (
    SELECT *, sum(workers) OVER (
        PARTITION BY area, category, segment, funding, cohort_reference, cohort_part, expires_on
        ORDER BY effective_on) AS balance
    FROM daily
)
SELECT area, category, segment, funding, cohort_reference, cohort_part, expires_on,
       effective_on, balance
FROM running WHERE balance < 0
QUALIFY row_number() OVER (
    PARTITION BY area, category, segment, funding, cohort_reference, cohort_part, expires_on
    ORDER BY effective_on) = 1
ORDER BY area, cohort_reference, cohort_part, category LIMIT $most
"""

# What a cohort is below 0 is told of the cohort: of the pool only what is amiss besides.
_POOLS: Final = """
WITH of_cohort AS (
    SELECT area, category, segment, funding, cohort_reference, cohort_part, effective_on,
           sum(workers) AS workers
    FROM relevant WHERE expires_on IS NULL GROUP BY ALL
), cohort AS (
    SELECT *, sum(workers) OVER (
        PARTITION BY area, category, segment, funding, cohort_reference, cohort_part
        ORDER BY effective_on) AS balance
    FROM of_cohort
), daily AS (
    SELECT area, category, effective_on, sum(workers) AS workers,
           sum(CASE WHEN cohort_reference IS NULL THEN workers
                    ELSE greatest(balance, 0) - greatest(balance - workers, 0) END) AS besides
    FROM cohort GROUP BY ALL
), running AS (
    SELECT area, category, effective_on, sum(workers) OVER pool AS balance,
           sum(besides) OVER pool AS besides
    FROM daily WINDOW pool AS (PARTITION BY area, category ORDER BY effective_on)
)
SELECT area, category, effective_on, balance FROM running WHERE besides < 0
QUALIFY row_number() OVER (PARTITION BY area, category ORDER BY effective_on) = 1
ORDER BY area, category LIMIT $most
"""

# Renewed heads are those of the renewal on its first day: heads named as leaving on that day were
# never covered by it. Heads that are moved on that day were renewed, and are somewhere else.
_RENEWALS: Final = """
WITH renewed AS (
    SELECT renewing.area, renewing.category, renewing.segment, renewing.of_reference,
           renewing.of_part, renewing.of_funding, renewing.starts_on, sum(relevant.workers) AS workers,
           list(DISTINCT renewing.cohort_reference) AS renewals
    FROM renewing JOIN relevant
      ON relevant.area = renewing.area AND relevant.category = renewing.category
     AND relevant.segment IS NOT DISTINCT FROM renewing.segment
     AND relevant.funding IS NOT DISTINCT FROM renewing.funding
     AND relevant.cohort_reference = renewing.cohort_reference
     AND relevant.cohort_part = renewing.cohort_part
     AND relevant.expires_on = renewing.expires_on
     AND relevant.effective_on <= renewing.starts_on
     AND relevant.kind NOT IN ('reclassification', 'transfer')
    GROUP BY ALL
), surviving AS (
    SELECT renewed.*, coalesce((
        SELECT sum(relevant.workers) FROM relevant
        WHERE relevant.area = renewed.area AND relevant.category = renewed.category
          AND relevant.segment IS NOT DISTINCT FROM renewed.segment
          AND relevant.funding IS NOT DISTINCT FROM renewed.of_funding
          AND relevant.cohort_reference = renewed.of_reference
          AND relevant.cohort_part = renewed.of_part
          AND relevant.expires_on = renewed.starts_on
          AND relevant.effective_on < renewed.starts_on), 0) AS survivors
    FROM renewed
)
SELECT area, category, segment, of_funding, of_reference, of_part, starts_on, workers, survivors,
       renewals
FROM surviving WHERE workers > survivors
ORDER BY area, of_reference, of_part, category LIMIT $most
"""

_LIVE: Final = """
WITH live AS (
    SELECT area, reference, part, kind, effective_on, category, segment, funding,
           cohort_reference, cohort_part, expires_on
    FROM entries SEMI JOIN (SELECT DISTINCT area FROM own) USING (area)
    WHERE kind <> 'lapse' GROUP BY ALL HAVING sum(workers) <> 0
), opening AS (
    SELECT area, min(effective_on) AS effective_on, min(reference) AS reference,
           count(DISTINCT (reference, part)) AS openings
    FROM live WHERE kind = 'opening' GROUP BY area
)
"""

_OPENINGS: Final = (
    _LIVE
    + """
SELECT opening.area, opening.reference, opening.effective_on, live.reference, live.part,
       live.effective_on, live.kind, opening.openings
FROM opening JOIN live USING (area)
WHERE (live.kind <> 'opening' AND live.effective_on <= opening.effective_on)
   OR (live.kind = 'opening' AND opening.openings > 1)
GROUP BY ALL ORDER BY ALL LIMIT $most
"""
)

# The same heads from the same day under another reference: a document that came in twice.
_LOOK_ALIKES: Final = """
WITH alike AS (
    SELECT area, kind, effective_on, heads, min(reference) AS one, max(reference) AS another
    FROM standing GROUP BY ALL HAVING bool_or(is_fresh) AND one <> another
), named AS (
    SELECT area, reference, part, effective_on,
           CASE WHEN one = reference THEN another ELSE one END AS other
    FROM standing JOIN alike USING (area, kind, effective_on, heads)
    WHERE is_fresh ORDER BY area, reference, part LIMIT $most
)
SELECT area, reference, part, min(sheet), min("row"), named.effective_on, other
FROM named JOIN own USING (area, reference, part) WHERE act = 'original' AND kind <> 'lapse'
GROUP BY ALL ORDER BY ALL
"""

_POOL_DRAWS: Final = """
WITH draw AS (
    SELECT area, category, effective_on, reference, part, min(sheet) AS sheet, min("row") AS "row"
    FROM own WHERE cohort_reference IS NULL AND workers < 0 AND act <> 'takes-back'
    GROUP BY ALL
), day AS (
    SELECT area, category, effective_on, 0 AS workers FROM draw
    UNION ALL
    SELECT area, category, effective_on, workers FROM relevant WHERE expires_on IS NOT NULL
), daily AS (
    SELECT area, category, effective_on, sum(workers) AS workers FROM day GROUP BY ALL
), running AS (
    SELECT area, category, effective_on, sum(workers) OVER (
        PARTITION BY area, category ORDER BY effective_on) AS with_terms
    FROM daily
)
SELECT area, reference, part, sheet, "row", category, effective_on, with_terms
FROM draw JOIN running USING (area, category, effective_on)
WHERE with_terms > 0 ORDER BY ALL LIMIT $most
"""


class LedgerBalances:
    """`registry.balances.Balances` over image and tail."""

    def __init__(self, folder: ImageFolder | None, open_log: Callable[[], Log]) -> None:
        self._folder = folder
        self._open_log = open_log

    def prepare(self) -> None:
        """Publish an image if the tail is long, so that nobody waits for it under the lock."""
        if self._folder is None:
            return
        log = self._open_log()
        try:
            if self._tail_looks_short(log):
                return
            # It is a cache: failing is no failure, and what is damaged the next question finds.
            with suppress(duckdb.Error, RegistryError):
                publish_next(log, self._folder)
        finally:
            log.close()

    def _tail_looks_short(self, log: Log) -> bool:
        """Judge by the newest image's name: to open it takes longer than to record a batch."""
        assert self._folder is not None
        head = log.head()
        self._folder.adopt(head)
        newest = next(iter(self._folder.images()), None)
        tail_events = head - (newest.position if newest else 0)
        return tail_events >= 0 and not is_worth_publishing(tail_events, newest)

    def follow(self, since: int, expected: int) -> Following | None:
        """See `registry.balances.Balances.follow`."""
        if expected < FOLLOWED_EVENTS:
            return None
        self._settle_ahead(since)
        try:
            return Following(self._folder, self._open_log, expected)
        except RuntimeError:  # no thread more for this user
            return None

    def _settle_ahead(self, since: int) -> None:
        if self._folder is not None:
            self._folder.adopt(since)
            self._folder.forget_ahead()

    def findings(
        self,
        log: Log,
        since: int,
        *,
        dry_run: bool = False,
        followed: Follower | None = None,
    ) -> list[Finding]:
        """See `registry.balances.Balances.findings`."""

        def question(ledger: Ledger) -> list[Finding]:
            found = _findings(ledger.connection, since)
            refused = any(each.severity == "error" for each in found)
            # Others wait for the lock meanwhile, so only whoever brings most of a tail lays it out.
            is_ours = 2 * (ledger.position - since) >= ledger.tail_events
            if ledger.publish_is_due() and is_ours and not refused and not dry_run:
                lay_out_ahead(ledger)
            return found

        if isinstance(followed, Following) and (ledger := followed.ledger(log, since)) is not None:
            # Whatever goes wrong with it, the question is asked again of one that is made anew.
            with suppress(duckdb.Error), closing(ledger):
                return question(ledger)
        self._settle_ahead(since)
        return self._ask(log, question)

    def _ask(self, log: Log, question: Callable[[Ledger], Answer]) -> Answer:
        """Ask over image and tail; where the image turns out damaged, over the log alone.

        Nothing is built anew here: the write lock is held, and the next question will build.
        """
        try:
            with closing(Ledger(log, self._folder)) as ledger:
                return question(ledger)
        except duckdb.OutOfMemoryException:
            wide = Ledger(log, self._folder, memory_limit=TAIL_MEMORY_LIMIT_LAST, apart=True)
            with closing(wide) as ledger:
                return question(ledger)
        except duckdb.Error as error:
            if is_of_a_full_disk(error):
                with closing(Ledger(log, self._folder, apart=True)) as ledger:
                    return question(ledger)
            if self._folder is None or not is_of_a_damaged_image(error, self._folder):
                raise
            for image in self._folder.images():
                self._folder.discard(image)
            with closing(Ledger(log, None)) as ledger:
                return question(ledger)

    def stated(self, log: Log, areas: Sequence[str], on: date) -> dict[str, StatedPeriod]:
        """See `registry.balances.Balances.stated`."""
        return self._ask(
            log, lambda ledger: stated_on(ledger.connection, areas, on, ledger.position)
        )

    def survivors(self, log: Log, area: str, reference: str, part: str) -> list[Survivors]:
        """See `registry.balances.Balances.survivors`."""
        found = self._ask(
            log,
            lambda ledger: ledger.connection.execute(
                """
                WITH cohort AS (
                    SELECT category, segment, funding, expires_on, sum(workers) AS workers
                    FROM entries
                    WHERE area = $area AND cohort_reference = $reference AND cohort_part = $part
                      AND expires_on IS NOT NULL AND effective_on < expires_on
                    GROUP BY ALL
                ), renewed AS (
                    SELECT category, segment, of_funding AS funding, effective_on AS expires_on,
                           sum(workers) AS workers
                    FROM entries
                    WHERE area = $area AND kind = 'renewal'
                      AND of_reference = $reference AND of_part = $part
                    GROUP BY ALL
                )
                SELECT cohort.category, cohort.segment, cohort.funding, cohort.expires_on,
                       cohort.workers - coalesce(renewed.workers, 0)
                FROM cohort LEFT JOIN renewed
                  ON renewed.category = cohort.category
                 AND renewed.segment IS NOT DISTINCT FROM cohort.segment
                 AND renewed.funding IS NOT DISTINCT FROM cohort.funding
                 AND renewed.expires_on = cohort.expires_on
                ORDER BY ALL
                """,
                {"area": area, "reference": reference, "part": part},
            ).fetchall(),
        )
        return [
            Survivors(category, segment, funding, expires_on, int(workers))
            for category, segment, funding, expires_on, workers in found
            if workers > 0
        ]


def _findings(connection: DuckDBPyConnection, since: int) -> list[Finding]:
    for statement in _PREPARE.split(";")[:-1]:
        connection.execute(statement.replace("$since", str(int(since))))  # a view takes no values
    found = connection.execute(_ASKED).fetchone()
    takes, draws, opens, resembles = found or (True,) * 4
    if takes:
        connection.execute(_PREPARE_TAKING)
    return [
        *(_openings(connection) if opens else ()),
        *(_cohorts(connection) if takes else ()),
        *(_pools(connection) if takes else ()),
        *(_renewals(connection) if takes else ()),
        *(_look_alikes(connection) if resembles else ()),
        *(_pool_draws(connection) if draws else ()),
        *changes_of_closed(connection, since),
    ]


def _all(connection: DuckDBPyConnection, statement: str, **names: object) -> list[Any]:
    return connection.execute(statement, names).fetchall()


def _cohorts(connection: DuckDBPyConnection) -> Iterator[Finding]:
    for row in _all(connection, _COHORTS, most=FINDINGS_MAX):
        area, category, segment, funding, reference, part, expires_on, day, balance = row
        cohort = {
            "area": area,
            "category": category,
            "segment": segment,
            "funding": funding,
            "reference": reference,
            "part": part,
            "expires_on": expires_on,
        }
        others = _all(connection, _DEPENDENTS, **cohort, most=LISTED + 1)
        batch = _named(reference, part)
        changed = _changed(connection, **cohort)
        yield Finding(
            code="cohort-below-zero",
            severity="error",
            area=area,
            why=_(
                "the {category} of {batch}{until} would not be there any more: {changed}{taking}"
            ).format(
                category=category,
                batch=batch,
                until=_until(expires_on),
                changed=changed.in_words,
                taking=_taking(others),
            )
            if changed
            else _(
                "on {day} the {category} of {batch}{until} would be {balance:,}: more"
                " leave than are there{taking}"
            ).format(
                day=day,
                category=category,
                batch=batch,
                until=_until(expires_on),
                balance=balance,
                taking=_taking(others),
            ),
            remedy=_CHANGE_TOGETHER
            if changed
            else _("Take fewer, or first correct or withdraw what depends on them."),
            column=changed.column if changed else "workers",
            blames=_blames(connection, _COHORT_BLAMES, **cohort, day=day),
        )


_CHANGE_TOGETHER: Final = _(
    "Correct those too, in one file: each row with the action correct. Or first withdraw those, and"
    " record them again afterwards."
)


class _Change(NamedTuple):
    """A correction of what tells a cohort from another: its column, and from what to what."""

    column: str
    in_words: str


def _changed(
    connection: DuckDBPyConnection, *, segment: str | None, funding: str | None, **cohort: object
) -> _Change | None:
    """Return the change of segment or funding by which a cohort is gone, if it is gone by that."""
    put = _all(connection, _PUT_INSTEAD, **cohort)
    for column, before, after in (
        ("funding", funding, {each for _segment, each in put}),
        ("segment", segment, {each for each, _funding in put}),
    ):
        if after and before not in after:
            words = _("its {column} is corrected from {before} to {after}").format(
                column=column,
                before=before or _("nothing"),
                after=joined(", ", sorted(each or _("nothing") for each in after)),
            )
            return _Change(column, words)
    return None


_COHORT_IS: Final = """
    area = $area AND category = $category AND segment IS NOT DISTINCT FROM $segment
    AND funding IS NOT DISTINCT FROM $funding AND cohort_reference = $reference
    AND cohort_part = $part AND expires_on IS NOT DISTINCT FROM $expires_on
"""

_PUT_INSTEAD: Final = """
SELECT DISTINCT segment, funding FROM own
WHERE act = 'puts' AND kind <> 'lapse' AND workers > 0 AND area = $area AND category = $category
  AND cohort_reference = $reference AND cohort_part = $part
  AND expires_on IS NOT DISTINCT FROM $expires_on
"""

# A transfer is a batch of the area it enters, and draws on another.
_TAKING: Final = """
SELECT reference, part, nullif(batch_area, area) AS of_area, effective_on, sum(workers)
FROM relevant JOIN (SELECT position, area AS batch_area FROM events) USING (position)
WHERE {condition} AND kind <> 'lapse'
GROUP BY ALL HAVING sum(workers) < 0 ORDER BY effective_on, reference, part LIMIT $most
"""

_DRAWN: Final = _TAKING.format(
    condition="area = $area AND category = $category AND expires_on IS NULL"
)

_DEPENDENTS: Final = _TAKING.format(
    condition=_COHORT_IS + " AND (reference, part) <> (cohort_reference, cohort_part)"
)

_COHORT_BLAMES: Final = f"""
SELECT DISTINCT reference, part, sheet, "row" FROM own
WHERE {_COHORT_IS} AND kind <> 'lapse' AND workers < 0 AND effective_on <= $day
ORDER BY ALL LIMIT 10
"""


def _pools(connection: DuckDBPyConnection) -> Iterator[Finding]:
    for area, category, day, balance in _all(connection, _POOLS, most=FINDINGS_MAX):
        drawn = _all(connection, _DRAWN, area=area, category=category, most=LISTED + 1)
        yield Finding(
            code="pool-below-zero",
            severity="error",
            area=area,
            why=_(
                "on {day} the {category} of {area} without an end would be {balance:,}: more leave"
                " than are there{taking}"
            ).format(day=day, category=category, area=area, balance=balance, taking=_taking(drawn)),
            remedy=_taken_back_remedy(connection, area, category)
            or _(
                "Take fewer; if they have a term, name the batch that brought them in (of_batch)."
            ),
            column="workers",
            blames=_blames(
                connection,
                """SELECT DISTINCT reference, part, sheet, "row" FROM own
                WHERE area = $area AND category = $category AND expires_on IS NULL
                AND workers < 0 AND effective_on <= $day ORDER BY ALL LIMIT 10""",
                area=area,
                category=category,
                day=day,
            ),
        )


def _taken_back_remedy(connection: DuckDBPyConnection, area: str, category: str) -> str | None:
    """Return what to do where it is a withdrawal or correction that others depend on."""
    found = _all(
        connection,
        """SELECT 1 FROM own WHERE area = $area AND category = $category
        AND act = 'takes-back' AND workers < 0 AND expires_on IS NULL LIMIT 1""",
        area=area,
        category=category,
    )
    return _("First correct or withdraw what takes from it, or correct to more.") if found else None


def _renewals(connection: DuckDBPyConnection) -> Iterator[Finding]:
    for row in _all(connection, _RENEWALS, most=FINDINGS_MAX):
        area, category, segment, funding, reference, part, starts_on, workers, survivors = row[:9]
        renewals = ", ".join(sorted(row[9])[:LISTED])
        changed = _changed(
            connection,
            area=area,
            category=category,
            segment=segment,
            funding=funding,
            reference=reference,
            part=part,
            expires_on=starts_on,
        )
        why = (
            _(
                "the {workers:,} {category} of {named} that are renewed from {starts_on}"
                " ({renewals}) would not be there any more: {changed}"
            )
            if changed
            else _(
                "{workers:,} {category} of {named} would be renewed from"
                " {starts_on} ({renewals}), but only {survivors:,} are left the day before"
            )
        )
        yield Finding(
            code="renewal-exceeds-survivors",
            severity="error",
            area=area,
            why=why.format(
                workers=workers,
                category=category,
                named=_named(reference, part),
                starts_on=starts_on,
                renewals=renewals,
                survivors=max(survivors, 0),
                changed=changed.in_words if changed else "",
            ),
            remedy=_CHANGE_TOGETHER
            if changed
            else _renewal_remedy(connection, area, reference, part, starts_on, renewals),
            column=changed.column if changed else "workers",
            blames=_blames(
                connection,
                """SELECT DISTINCT reference, part, sheet, "row" FROM own
                WHERE area = $area AND category = $category AND kind <> 'lapse'
                  AND ((of_reference = $reference AND of_part = $part AND workers > 0)
                    OR (cohort_reference = $reference AND cohort_part = $part AND workers < 0
                        AND funding IS NOT DISTINCT FROM $funding))
                ORDER BY ALL LIMIT 10""",
                area=area,
                category=category,
                reference=reference,
                part=part,
                funding=funding,
            ),
        )


def _renewal_remedy(
    connection: DuckDBPyConnection,
    area: str,
    reference: str,
    part: str,
    starts_on: date,
    renewals: str,
) -> str:
    """Return what to do, by what the transaction does: renew, take from what is renewed, change it."""
    ((renews, leaves),) = _all(
        connection,
        """SELECT coalesce(bool_or(kind = 'renewal' AND workers > 0
                   AND of_reference = $reference AND of_part = $part), false),
               coalesce(bool_or(cohort_reference = $reference AND cohort_part = $part
                   AND act = 'original' AND workers < 0), false)
        FROM own WHERE area = $area AND kind <> 'lapse'""",
        area=area,
        reference=reference,
        part=part,
    )
    if renews:
        return _(
            "Renew fewer; or, where heads that left had been renewed, name the renewal"
            " (of_batch) for them as well, leaving on {starts_on}."
        ).format(starts_on=starts_on)
    first = _("First correct {renewals} to fewer, or withdraw it.").format(renewals=renewals)
    if not leaves:
        return first
    named = _(
        "Where heads that left had been renewed, name the renewal (of_batch) for them as well,"
        " leaving on {starts_on}."
    ).format(starts_on=starts_on)
    return joined(" ", (first, named))


def _openings(connection: DuckDBPyConnection) -> Iterator[Finding]:
    several: dict[str, list[str]] = {}
    for row in _all(connection, _OPENINGS, most=FINDINGS_MAX):
        area, opening, opening_on, reference, part, day, kind, _openings_count = row
        if kind == "opening":
            several.setdefault(area, []).append(_named(reference, part))
            continue
        yield Finding(
            code="before-opening",
            severity="error",
            area=area,
            why=_(
                "{named} takes effect on {day}, but the opening {opening} of"
                " {area} states the stock at the end of {opening_on}: it is in there already"
            ).format(
                named=_named(reference, part),
                day=day,
                opening=opening,
                area=area,
                opening_on=opening_on,
            ),
            remedy=_(
                "Reclassify from the opening's category after that day, or correct the opening"
                " to an earlier day."
            ),
            column="effective_on",
            blames=_opening_blames(connection, area, reference, part),
        )
    for area, openings in several.items():
        yield Finding(
            code="second-opening",
            severity="error",
            area=area,
            why=_("{area} would have {number} openings: {listed}").format(
                area=area, number=len(openings), listed=joined(", ", openings[:LISTED])
            ),
            remedy=_("State one opening; withdraw the one that stands first, or correct it."),
            column="action",
            blames=_opening_blames(connection, area, "", ""),
        )


def _opening_blames(
    connection: DuckDBPyConnection, area: str, reference: str, part: str
) -> tuple[Blame, ...]:
    """Return the row of the batch itself, or else that of the opening in this transaction."""
    return _blames(
        connection,
        """SELECT reference, part, sheet, "row" FROM own
        WHERE area = $area AND ((reference = $reference AND part = $part) OR kind = 'opening')
          AND kind <> 'lapse' ORDER BY reference <> $reference LIMIT 1""",
        area=area,
        reference=reference,
        part=part,
    )


def _look_alikes(connection: DuckDBPyConnection) -> Iterator[Finding]:
    for row in _all(connection, _LOOK_ALIKES, most=FINDINGS_MAX):
        area, reference, part, sheet, line, day, other = row
        yield Finding(
            code="looks-like-duplicate",
            severity="warning",
            area=area,
            why=_("{named} has the same lines from the same day ({day}) as {other}").format(
                named=_named(reference, part), day=day, other=other
            ),
            remedy=_("If it is the same decision, withdraw one of them."),
            column="reference",
            blames=(Blame(reference, part, sheet, line),),
        )


def _pool_draws(connection: DuckDBPyConnection) -> Iterator[Finding]:
    for row in _all(connection, _POOL_DRAWS, most=FINDINGS_MAX):
        area, reference, part, sheet, line, category, day, workers = row
        yield Finding(
            code="draws-on-pool",
            severity="warning",
            area=area,
            why=_(
                "{named} names no batch and takes from the {category} without an"
                " end; on {day} another {workers:,} of them have terms"
            ).format(named=_named(reference, part), category=category, day=day, workers=workers),
            remedy=_("If it means those, name the batch that brought them in (of_batch)."),
            column="of_batch",
            blames=(Blame(reference, part, sheet, line),),
        )


def _blames(connection: DuckDBPyConnection, statement: str, **names: object) -> tuple[Blame, ...]:
    return tuple(Blame(*row) for row in _all(connection, statement, **names))


def _taking(others: list[Any]) -> str:
    """Return which batches take from it, on which day and how many."""
    listed = joined(
        "; ",
        [
            _("{other} ({workers:,} on {day})").format(
                other=_named_in(reference, part, area), workers=-workers, day=day
            )
            for reference, part, area, day, workers in others[:LISTED]
        ],
    )
    more = _("; and more") if len(others) > LISTED else ""
    return (
        _("; these take from it: {listed}{more}").format(listed=listed, more=more) if listed else ""
    )


def _named(reference: str, part: str) -> str:
    return (
        _("{reference} part {part}").format(reference=reference, part=part) if part else reference
    )


def _named_in(reference: str, part: str, area: str | None) -> str:
    """Return a batch's name, with the area that it is recorded in where that is another."""
    name = _named(reference, part)
    return _("{name} of {area}").format(name=name, area=area) if area else name


def _until(expires_on: date | None) -> str:
    return (
        _(" (until {expires_on})").format(expires_on=expires_on - timedelta(days=1))
        if expires_on
        else ""
    )
