using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Platform.HeavyTasks.Http;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>Tests what no present kind needs and a future kind may need: lists of records, and rules over several fields.</summary>
public sealed class RequestReaderTests
{
    [Theory]
    [InlineData("""{"lines":[{"amount":1},{"amount":0}]}""", "p.lines[1].amount")]
    [InlineData("""{"lines":[{"amount":1},{}]}""", "p.lines[1].amount")]
    [InlineData("""{"lines":[{"amount":"x"}]}""", "p.lines[0].amount")]
    [InlineData("""{"lines":{}}""", "p.lines")]
    [InlineData("""{"lines":[null]}""", "p.lines[0]")]
    [InlineData("""{"lines":[],"from":5,"to":4}""", "p.to")]
    [InlineData("""{"lines":[],"forbidden":true}""", "p")]
    [InlineData("""{"lines":[],"named":{"a":"1","b":"2"}}""", "p.named")]
    public void Fault_is_named_at_any_depth(string json, string field)
    {
        var errors = new FieldErrors();

        Read(json, errors).ShouldBeNull();

        errors.ToProblem().ProblemDetails.Errors.Keys.ShouldBe([field]);
    }

    [Fact]
    public void Valid_record_is_read()
    {
        var errors = new FieldErrors();

        var order = Read("""{"lines":[{"amount":2}],"from":1,"to":2}""", errors).ShouldBeOfType<Order>();

        errors.Any.ShouldBeFalse();
        order.Lines.ShouldHaveSingleItem().Amount.ShouldBe(2);
    }

    private static object? Read(string json, FieldErrors errors) =>
        RequestReader.Read(JsonElement.Parse(json), RequestJson.Options.GetTypeInfo(typeof(Order)), "p", errors);

    private sealed record Order : IValidatableObject
    {
        [Required]
        public required List<Line> Lines { get; init; }

        public int From { get; init; }

        public int To { get; init; } = int.MaxValue;

        public bool Forbidden { get; init; }

        [MaxLength(1)]
        public Dictionary<string, string> Named { get; init; } = [];

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        {
            if (To < From)
            {
                yield return new ValidationResult("Before the start.", [nameof(To)]);
            }

            if (Forbidden)
            {
                yield return new ValidationResult("Forbidden.");
            }
        }
    }

    private sealed record Line
    {
        [Range(1, 10)]
        public required int Amount { get; init; }
    }
}
