namespace Platform.Support.Tests;

public sealed class SharedDataTests
{
    [Fact]
    public void File_that_is_absent_skips_the_test()
    {
        var skip = Should.Throw<Exception>(() => SharedData.Find("no-such-file.csv"));
        skip.Message.ShouldStartWith("$XunitDynamicSkip$");
        skip.Message.ShouldContain("no-such-file.csv is absent");
    }
}
