using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>What counts as evidence that another worker died.</summary>
public sealed class DeadOwnersTests
{
    private static readonly Guid Owner = Guid.CreateVersion7();
    private static readonly DateTime Seen = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    private readonly ManualTime time = new();
    private readonly DeadOwners owners;

    public DeadOwnersTests() => owners = new DeadOwners(new LivenessTimes(), time);

    [Fact]
    public void An_owner_whose_lock_stays_free_is_dead_after_two_seconds() => LooksUntilDead(Free()).ShouldBe(4);

    [Fact]
    public void A_lock_that_is_held_again_ends_the_suspicion()
    {
        for (var round = 0; round < 20; round++)
        {
            Look(Free(), 3).ShouldBeFalse();
            Look(Held(), 1).ShouldBeFalse();
        }
    }

    [Fact]
    public void An_owner_that_gives_a_sign_of_life_is_not_dead_although_its_lock_is_free()
    {
        for (var round = 0; round < 20; round++)
        {
            Look(Free(seenAt: Seen.AddSeconds(round)), 3).ShouldBeFalse();
        }
    }

    [Fact]
    public void A_lease_that_has_ended_is_no_evidence_until_it_was_not_renewed_for_a_whole_lease() =>
        LooksUntilDead(LeaseEnded()).ShouldBe(60);

    [Fact]
    public void An_owner_is_dead_when_it_was_seen_silent_for_a_lease_and_its_lease_ends_then()
    {
        Look(Held(), 100).ShouldBeFalse();
        Look(LeaseEnded(), 1).ShouldBeTrue();
    }

    [Fact]
    public void A_clock_that_jumps_kills_nobody_who_renews_the_lease()
    {
        Look(Held(), 5).ShouldBeFalse();
        Look(LeaseEnded(), 9).ShouldBeFalse();
        Look(Held(seenAt: Seen.AddHours(1)), 9).ShouldBeFalse();
    }

    [Fact]
    public void Time_in_which_nobody_looked_does_not_count()
    {
        // The database was away for minutes, or this process stood still; the others could not renew their leases either.
        Look(Held(), 2).ShouldBeFalse();
        time.Advance(TimeSpan.FromMinutes(5));
        Look(LeaseEnded(), 50).ShouldBeFalse();
        Look(LeaseEnded(), 20).ShouldBeTrue();
    }

    [Fact]
    public void A_slow_machine_still_finds_the_dead()
    {
        var looks = 0;
        while (!Judge(Free()))
        {
            time.Advance(TimeSpan.FromSeconds(20));
            looks.ShouldBeLessThan(10);
            looks++;
        }

        looks.ShouldBeGreaterThan(1);
    }

    [Fact]
    public void An_owner_without_a_row_may_write_it_again() => LooksUntilDead(NoRow()).ShouldBe(22);

    [Fact]
    public void An_owner_that_was_not_looked_at_begins_anew()
    {
        Look(Free(), 4).ShouldBeFalse();
        owners.Judge([]).ShouldBeEmpty();
        Look(Free(), 4).ShouldBeFalse();
    }

    private static OwnerLook Free(DateTime? seenAt = null) => new(Owner, seenAt ?? Seen, LeaseEnded: false, LockIsFree: true);

    private static OwnerLook Held(DateTime? seenAt = null) => new(Owner, seenAt ?? Seen, LeaseEnded: false, LockIsFree: false);

    private static OwnerLook LeaseEnded() => new(Owner, Seen, LeaseEnded: true, LockIsFree: false);

    private static OwnerLook NoRow() => new(Owner, null, LeaseEnded: true, LockIsFree: false);

    private int LooksUntilDead(OwnerLook look)
    {
        for (var looks = 0; looks < 1000; looks++)
        {
            if (Judge(look))
            {
                return looks;
            }

            time.Advance(LivenessTimes.Interval);
        }

        return -1;
    }

    /// <summary>Looks several times; whether the owner was dead at the last look.</summary>
    private bool Look(OwnerLook look, int times)
    {
        var dead = false;
        for (var i = 0; i < times; i++)
        {
            dead = Judge(look);
            time.Advance(LivenessTimes.Interval);
        }

        return dead;
    }

    private bool Judge(OwnerLook look) => owners.Judge([look]).Count == 1;
}
