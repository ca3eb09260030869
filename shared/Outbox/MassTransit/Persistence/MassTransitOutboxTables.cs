using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Platform.Persistence.MySql.Migrations;

/// <summary>
/// Creates the tables of MassTransit's outbox in databases of builds that use it. The snapshot of the other build does not contain them.
/// </summary>
[DbContext(typeof(PlatformDbContext))]
[Migration("20261126100000_MassTransitOutboxTables")]
public sealed class MassTransitOutboxTables : Migration
{
    private static readonly string[] OutboxAndNumber = ["outbox_id", "sequence_number"];

    /// <inheritdoc />
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        ArgumentNullException.ThrowIfNull(migrationBuilder);
        migrationBuilder
            .CreateTable(
                name: "masstransit_outbox_states",
                columns: table => new
                {
                    outbox_id = table.Column<Guid>(type: "binary(16)", nullable: false),
                    lock_id = table.Column<Guid>(type: "binary(16)", nullable: false),
                    row_version = table.Column<DateTime>(type: "timestamp(6)", rowVersion: true, nullable: true),
                    created = table.Column<DateTime>(type: "datetime(6)", nullable: false),
                    delivered = table.Column<DateTime>(type: "datetime(6)", nullable: true),
                    last_sequence_number = table.Column<long>(type: "bigint", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_masstransit_outbox_states", x => x.outbox_id);
                }
            )
            .Annotation("MySql:CharSet", "utf8mb4")
            .Annotation("Relational:Collation", "utf8mb4_bin");

        migrationBuilder
            .CreateTable(
                name: "masstransit_outbox_messages",
                columns: table => new
                {
                    sequence_number = table
                        .Column<long>(type: "bigint", nullable: false)
                        .Annotation("MySql:ValueGenerationStrategy", MySqlValueGenerationStrategy.IdentityColumn),
                    enqueue_time = table.Column<DateTime>(type: "datetime(6)", nullable: true),
                    sent_time = table.Column<DateTime>(type: "datetime(6)", nullable: false),
                    headers = table
                        .Column<string>(type: "longtext", nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    properties = table
                        .Column<string>(type: "longtext", nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    inbox_message_id = table.Column<Guid>(type: "binary(16)", nullable: true),
                    inbox_consumer_id = table.Column<Guid>(type: "binary(16)", nullable: true),
                    outbox_id = table.Column<Guid>(type: "binary(16)", nullable: true),
                    message_id = table.Column<Guid>(type: "binary(16)", nullable: false),
                    content_type = table
                        .Column<string>(type: "varchar(256)", maxLength: 256, nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    message_type = table
                        .Column<string>(type: "longtext", nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    body = table
                        .Column<string>(type: "longtext", nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    conversation_id = table.Column<Guid>(type: "binary(16)", nullable: true),
                    correlation_id = table.Column<Guid>(type: "binary(16)", nullable: true),
                    initiator_id = table.Column<Guid>(type: "binary(16)", nullable: true),
                    request_id = table.Column<Guid>(type: "binary(16)", nullable: true),
                    source_address = table
                        .Column<string>(type: "varchar(256)", maxLength: 256, nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    destination_address = table
                        .Column<string>(type: "varchar(256)", maxLength: 256, nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    response_address = table
                        .Column<string>(type: "varchar(256)", maxLength: 256, nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    fault_address = table
                        .Column<string>(type: "varchar(256)", maxLength: 256, nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    expiration_time = table.Column<DateTime>(type: "datetime(6)", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_masstransit_outbox_messages", x => x.sequence_number);
                    table.ForeignKey(
                        name: "FK_masstransit_outbox_messages_outbox_states",
                        column: x => x.outbox_id,
                        principalTable: "masstransit_outbox_states",
                        principalColumn: "outbox_id"
                    );
                }
            )
            .Annotation("MySql:CharSet", "utf8mb4")
            .Annotation("Relational:Collation", "utf8mb4_bin");

        migrationBuilder.CreateIndex(
            name: "ix_masstransit_outbox_messages_outbox_id_sequence_number",
            table: "masstransit_outbox_messages",
            columns: OutboxAndNumber,
            unique: true
        );

        migrationBuilder.CreateIndex(name: "ix_masstransit_outbox_states_created", table: "masstransit_outbox_states", column: "created");
    }

    /// <inheritdoc />
    protected override void Down(MigrationBuilder migrationBuilder)
    {
        ArgumentNullException.ThrowIfNull(migrationBuilder);
        migrationBuilder.DropTable(name: "masstransit_outbox_messages");
        migrationBuilder.DropTable(name: "masstransit_outbox_states");
    }
}
