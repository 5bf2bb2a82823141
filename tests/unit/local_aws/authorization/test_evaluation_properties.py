"""Properties of policy evaluation that hold for any policies."""

from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import allow, deny
from .test_evaluation import OBJECT, ROLE, SESSION, policy, verdict

ACTIONS = st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:*", "sqs:SendMessage", "*"])
RESOURCES = st.sampled_from(["*", OBJECT, "arn:aws:s3:::data/*", "arn:aws:s3:::other/*"])
PRINCIPALS = st.sampled_from(["*", {"AWS": ROLE}, {"AWS": SESSION}, {"AWS": "111122223333"}, {"AWS": "444455556666"}])
STATEMENTS = st.builds(
    lambda effect, action, resource, principal: {**effect(action, resource), "Principal": principal},
    st.sampled_from([allow, deny]),
    ACTIONS,
    RESOURCES,
    PRINCIPALS,
)
LISTS = st.lists(STATEMENTS, max_size=4)
PLACES = st.fixed_dictionaries(
    {"identity": LISTS, "resource": LISTS, "boundary": st.none() | LISTS, "session": st.none() | LISTS}
)
ACCOUNTS = st.sampled_from([None, "111122223333", "444455556666"])


def decide(places, account):
    given_policies = {place: None if s is None else policy(*s, name=place) for place, s in places.items()}
    return verdict(account=account, **given_policies).allowed


# A fifth of a second is hypothesis' limit for an example.
ON_A_BUSY_MACHINE = settings(deadline=None)


@ON_A_BUSY_MACHINE
@given(PLACES, ACCOUNTS, st.sampled_from(["identity", "resource", "boundary", "session"]), STATEMENTS)
def test_adding_a_deny_never_allows(places, account, place, statement):
    more = {**places, place: [*(places[place] or []), {**statement, "Effect": "Deny"}]}
    if places[place] is not None:  # a first boundary is a new limit, not a statement more
        assert decide(more, account) <= decide(places, account)


@ON_A_BUSY_MACHINE
@given(PLACES, ACCOUNTS, st.sampled_from(["identity", "resource", "boundary", "session"]), STATEMENTS)
def test_adding_an_allow_never_denies(places, account, place, statement):
    if places[place] is not None:
        more = {**places, place: [*places[place], {**statement, "Effect": "Allow"}]}
        assert decide(more, account) >= decide(places, account)


@ON_A_BUSY_MACHINE
@given(PLACES, ACCOUNTS, st.randoms())
def test_statement_order_does_not_matter(places, account, random):
    shuffled = {place: None if s is None else random.sample(s, len(s)) for place, s in places.items()}
    assert decide(shuffled, account) == decide(places, account)


@ON_A_BUSY_MACHINE
@given(PLACES, ACCOUNTS)
def test_boundary_and_session_policies_never_add_permissions(places, account):
    unlimited = {**places, "boundary": None, "session": None}
    assert decide(places, account) <= decide(unlimited, account)


@ON_A_BUSY_MACHINE
@given(PLACES)
def test_cross_account_call_never_needs_less(places):
    assert decide(places, "444455556666") <= decide(places, "111122223333")
