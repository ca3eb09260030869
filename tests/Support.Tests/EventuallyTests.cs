namespace Platform.Support.Tests;

public sealed class EventuallyTests
{
    [Fact]
    public async Task Failure_says_what_was_waited_for_and_what_went_wrong_last()
    {
        Func<Task<bool>> never = () => throw new InvalidOperationException("no route");

        var error = await Should.ThrowAsync<TimeoutException>(() =>
            Eventually.Async(never, TimeSpan.FromMilliseconds(100), "the task is done")
        );

        error.Message.ShouldBe("Not within 0.1 s: the task is done. The last look at it failed: no route");
    }

    [Fact]
    public async Task Waits_until_the_condition_holds()
    {
        var looks = 0;
        await Eventually.Async(() => ++looks == 3, TimeSpan.FromSeconds(10));
        looks.ShouldBe(3);
    }
}
