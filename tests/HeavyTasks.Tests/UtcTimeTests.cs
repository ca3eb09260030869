using System.Text.Json;
using Platform.Contracts;

namespace Platform.HeavyTasks.Tests;

/// <summary>Tests that change the time zone of the process run while no other test runs.</summary>
[CollectionDefinition(nameof(UtcTimeTests), DisableParallelization = true)]
public sealed class TimeZoneOfTheProcess;

[Collection(nameof(UtcTimeTests))]
public sealed class UtcTimeTests
{
    private sealed record Times(DateTimeOffset Offset, DateTimeOffset? MaybeOffset, DateTime Time, DateTime? MaybeTime);

    [Theory]
    [InlineData("2024-01-31", "2024-01-31T00:00:00.0000000Z")]
    [InlineData("2024-02-29T23:59", "2024-02-29T23:59:00.0000000Z")]
    [InlineData("2024-01-31t23:59:58z", "2024-01-31T23:59:58.0000000Z")]
    [InlineData("2024-01-31 23:59:58 UTC", "2024-01-31T23:59:58.0000000Z")]
    [InlineData("2023-02-10 15:45:31+00", "2023-02-10T15:45:31.0000000Z")]
    [InlineData("2023-02-10 15:45:31.5-03:30", "2023-02-10T19:15:31.5000000Z")]
    [InlineData("2023-02-10 15:45:31.12 +05:30", "2023-02-10T10:15:31.1200000Z")]
    [InlineData("2023-02-10 15:45:31.123456", "2023-02-10T15:45:31.1234560Z")]
    [InlineData("1890-01-01 00:00:00+00:53:28", "1889-12-31T23:06:32.0000000Z")]
    [InlineData("2024-01-31T23:59-0130", "2024-02-01T01:29:00.0000000Z")]
    [InlineData("2024-01-31T23:59:58\u221201:00", "2024-02-01T00:59:58.0000000Z")]
    [InlineData("2024-05-15T04:20:05,123456789Z", "2024-05-15T04:20:05.1234567Z")]
    [InlineData("2024-05-15T04:20:05.99999999999999999999Z", "2024-05-15T04:20:05.9999999Z")]
    [InlineData("0001-01-01", "0001-01-01T00:00:00.0000000Z")]
    [InlineData("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z")]
    public void Usual_forms_are_read_and_are_UTC_unless_they_say_otherwise(string text, string expected)
    {
        UtcTime.TryParse(text, out var time).ShouldBeTrue();

        time.ToString("O").ShouldBe(expected);
        JsonSerializer.Deserialize<DateTime>($"\"{text}\"", HeavyTaskJson.Options).ShouldBe(time);
    }

    [Theory]
    [InlineData("")]
    [InlineData("2024")]
    [InlineData("2024-1-5")]
    [InlineData("2023-02-29")]
    [InlineData("0000-00-00 00:00:00")]
    [InlineData("2024-13-01")]
    [InlineData("10000-01-01")]
    [InlineData("03/04/2027")]
    [InlineData("2024-01-31T")]
    [InlineData("2024-01-31T23")]
    [InlineData("2024-01-31T24:01")]
    [InlineData("2024-01-31T23:60")]
    [InlineData("2024-01-31T23:59:60")]
    [InlineData("2024-01-31T23:59.5")]
    [InlineData("2024-01-31T23:59:58.")]
    [InlineData("2024-01-31T23:59:58+")]
    [InlineData("2024-01-31T23:59:58+1")]
    [InlineData("2024-01-31T23:59:58+0:30")]
    [InlineData("2024-01-31T23:59:58+16:00")]
    [InlineData("2024-01-31T23:59:58+01:60")]
    [InlineData("2024-01-31T23:59:58+01:")]
    [InlineData("2024-01-31T23:59:58Z ")]
    [InlineData(" 2024-01-31")]
    [InlineData("2024-01-31 ")]
    [InlineData("2024-01-31T23:59:58ZZ")]
    [InlineData("2024-01-31T23:59:58Z+01:00")]
    [InlineData("\u0662\u0660\u0662\u0664-01-31")]
    [InlineData("0001-01-01T00:00:00+01:00")]
    [InlineData("9999-12-31T23:59:59-01:00")]
    public void Other_forms_and_times_that_do_not_exist_are_refused(string text) => UtcTime.TryParse(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData("America/New_York")]
    [InlineData("Asia/Kolkata")]
    public void Parameters_without_an_offset_are_UTC_whatever_the_zone_of_the_machine(string zone)
    {
        using var _ = new LocalZone(zone);
        var midnight = new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        foreach (var text in (string[])["2024-01-01T00:00:00", "2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01T02:00:00+02:00"])
        {
            var times = JsonSerializer
                .Deserialize<Times>(
                    $$"""{"offset":"{{text}}","maybeOffset":"{{text}}","time":"{{text}}","maybeTime":"{{text}}"}""",
                    HeavyTaskJson.Options
                )
                .ShouldNotBeNull();

            foreach (var offset in (DateTimeOffset[])[times.Offset, times.MaybeOffset!.Value])
            {
                offset.DateTime.ShouldBe(midnight, text);
                offset.Offset.ShouldBe(TimeSpan.Zero, text);
            }

            foreach (var time in (DateTime[])[times.Time, times.MaybeTime!.Value])
            {
                time.ShouldBe(midnight, text);
                time.Kind.ShouldBe(DateTimeKind.Utc, text);
            }

            JsonSerializer
                .Deserialize<Times>(JsonSerializer.Serialize(times, HeavyTaskJson.Options), HeavyTaskJson.Options)
                .ShouldBe(times);
        }
    }

    [Fact]
    public void Times_are_written_as_UTC_whatever_their_kind()
    {
        using var _ = new LocalZone("America/New_York");
        var summer = new DateTime(2024, 7, 1, 12, 0, 0, DateTimeKind.Utc);

        foreach (var time in (DateTime[])[summer, summer.ToLocalTime(), DateTime.SpecifyKind(summer, DateTimeKind.Unspecified)])
        {
            JsonSerializer.Serialize(time, HeavyTaskJson.Options).ShouldBe("\"2024-07-01T12:00:00Z\"");
        }

        JsonSerializer
            .Serialize(new DateTimeOffset(summer).ToOffset(TimeSpan.FromHours(-4)), HeavyTaskJson.Options)
            .ShouldBe("\"2024-07-01T12:00:00+00:00\"");
        JsonSerializer
            .Deserialize<Dictionary<DateTime, DateTimeOffset>>(
                JsonSerializer.Serialize(new Dictionary<DateTime, DateTimeOffset> { [summer] = new(summer) }, HeavyTaskJson.Options),
                HeavyTaskJson.Options
            )!
            .ShouldHaveSingleItem()
            .ShouldBe(new KeyValuePair<DateTime, DateTimeOffset>(summer, new DateTimeOffset(summer)));
    }

    [Theory]
    [InlineData("1706745598")]
    [InlineData("true")]
    [InlineData("{}")]
    [InlineData("\"yesterday\"")]
    public void What_is_no_time_is_an_error_of_the_JSON(string json)
    {
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize<DateTime>(json, HeavyTaskJson.Options));
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize<DateTimeOffset?>(json, HeavyTaskJson.Options));
    }

    /// <summary>Gives the process another time zone, and its own back.</summary>
    private sealed class LocalZone : IDisposable
    {
        private readonly string? before = Environment.GetEnvironmentVariable("TZ");

        public LocalZone(string zone)
        {
            Set(zone);
            Assert.SkipWhen(TimeZoneInfo.Local.BaseUtcOffset == TimeSpan.Zero, "This machine has no time zone data.");
        }

        public void Dispose() => Set(before);

        private static void Set(string? zone)
        {
            Environment.SetEnvironmentVariable("TZ", zone);
            TimeZoneInfo.ClearCachedData();
        }
    }
}
